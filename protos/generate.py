"""Generates the committed protobuf modules: `python protos/generate.py`.

With `--check` nothing is written and stale files fail: the check that CI runs.
"""

import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
ROOT = PROTOS.parent
PACKAGES = {"open_inference": "gateway.protocols", "lifecycle": "lifecycle.api"}
"""Proto -> the package that its modules live in."""
SHARED_NAMES = frozenset({"open_inference"})
"""Protos whose names other packages register as well."""


def generate(name: str, package: str) -> dict[Path, str]:
    """Committed path -> text of the modules generated from one proto."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["protoc", f"-I{PROTOS}", f"-I{resources.files('grpc_tools') / '_proto'}"]
        arguments += [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")]
        if protoc.main([*arguments, f"{name}.proto"]) != 0:
            raise SystemExit(f"{name}.proto does not compile")
        texts = {path.name: path.read_text() for path in sorted(Path(folder).iterdir())}
    target = ROOT.joinpath(*package.split("."))
    return {target / file: _adapt(text, name, package) for file, text in texts.items()}


def _adapt(text: str, name: str, package: str) -> str:
    text = text.replace(f"import {name}_pb2 as", f"from {package} import {name}_pb2 as")
    text = text.replace(", _Mapping]", ", _Mapping[str, object]]")  # strict typing takes no bare generics
    if name not in SHARED_NAMES:
        return text
    # The default pool takes a name once: a pool of our own lets two packages of one name live in a process.
    return text.replace("_descriptor_pool.Default()", "_descriptor_pool.DescriptorPool()")


def main() -> None:
    stale = []
    for name, package in PACKAGES.items():
        for path, text in generate(name, package).items():
            if not path.exists() or path.read_text() != text:
                stale.append(path.relative_to(ROOT))
                if "--check" not in sys.argv[1:]:
                    path.write_text(text)
    if stale and "--check" in sys.argv[1:]:
        raise SystemExit(f"stale, run `python protos/generate.py`: {', '.join(map(str, stale))}")


if __name__ == "__main__":
    main()
