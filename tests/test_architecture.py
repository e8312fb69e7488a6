"""The rules of the house that no linter checks: file size, names, mirroring tests, pure cores.

`make check` also runs import-linter; here a planted import proves that its contracts bite.
"""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("gateway", "lifecycle")
MOST_LINES = 300
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "misc"}

# Modules, or folders, with logic and no mirroring test file: where they are tested instead. Wiring is worth
# no fake cluster, so a real one tests it.
TESTED_ELSEWHERE = {
    "gateway/app.py": "tests/e2e/test_traffic.py",
    "lifecycle/adapters/sql/deliveries.py": "tests/contract/test_store.py",
    "lifecycle/adapters/sql/generations.py": "tests/contract/test_store.py",
    "lifecycle/adapters/sql/records.py": "tests/contract/test_store.py",
    "lifecycle/adapters/sql/requests.py": "tests/contract/test_store.py",
    "lifecycle/adapters/sql/rows.py": "tests/contract/test_store.py",
    "lifecycle/api/admin_server.py": "tests/e2e/test_admin.py",
    "lifecycle/app.py": "tests/e2e/test_traffic.py",
    "lifecycle/cluster.py": "tests/e2e/test_survival.py",
    "lifecycle/joined.py": "tests/e2e/test_nodes.py",
    "lifecycle/wiring.py": "tests/e2e/test_admin.py",
    "lifecycle/parts.py": "tests/e2e/test_traffic.py",
    "lifecycle/adapters/applications.py": "tests/e2e/test_dedicated.py",
    "lifecycle/adapters/nodes.py": "tests/e2e/test_nodes.py",
    "lifecycle/demo/processes.py": ".ci/run",  # which runs the demo
    "lifecycle/demo/run.py": ".ci/run",
    "lifecycle/demo/story.py": ".ci/run",
}

PURE_THIRD_PARTY = {"gateway/core": {"ml_dtypes", "numpy"}, "lifecycle/core": {"numpy", "scipy", "sklearn"}}
IMPURE_STDLIB = {
    *("asyncio", "concurrent", "ctypes", "http", "logging", "multiprocessing", "os", "pathlib"),
    *("queue", "random", "sched", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl"),
    *("subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid", "warnings"),
}
IMPURE_BUILTINS = {"open", "print", "input", "exec", "eval"}


def product_files() -> list[Path]:
    """Every module of the two packages that a person wrote, relative to the repository."""
    return sorted(
        path.relative_to(ROOT)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if not path.stem.endswith(("_pb2", "_pb2_grpc"))
    )


def parse(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def has_logic(tree: ast.Module) -> bool:
    """True if some function does more than declare its signature, as those of a Protocol do."""
    return any(
        not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in node.body
    )


def mirror(path: Path) -> Path:
    name = path.parent.name if path.stem == "__init__" else path.stem
    return Path("tests", *path.parts[:-1], f"test_{name}.py")


def test_files_stay_short() -> None:
    compiled = (path.relative_to(ROOT) for path in (ROOT / "gateway").rglob("*.p[xy][dx]"))
    files = [*product_files(), *compiled]
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in files}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_every_module_says_what_it_owns() -> None:
    silent = [
        str(path)
        for path in product_files()
        if (path.stem != "__init__" or parse(path).body) and not ast.get_docstring(parse(path))
    ]
    assert silent == []


def test_no_file_has_a_vague_name() -> None:
    tops = (*PACKAGES, "benchmarks", "tests", "protos")
    vague = [
        str(path.relative_to(ROOT))
        for top in tops
        for path in (ROOT / top).rglob("*.py")
        if VAGUE_NAMES & {path.stem.removeprefix("test_"), path.parent.name}
    ]
    assert vague == []


def test_tests_mirror_code() -> None:
    untested = [
        str(path)
        for path in product_files()
        if has_logic(parse(path))
        and not (ROOT / mirror(path)).exists()
        and not any(path.is_relative_to(elsewhere) for elsewhere in TESTED_ELSEWHERE)
    ]
    assert untested == []


def test_the_list_of_exceptions_is_current() -> None:
    stale = [
        path
        for path, test in TESTED_ELSEWHERE.items()
        if not (ROOT / path).exists() or (ROOT / mirror(Path(path))).exists() or not (ROOT / test).exists()
    ]
    assert stale == []


@pytest.mark.parametrize("core", sorted(PURE_THIRD_PARTY))
def test_cores_import_only_pure_things(core: str) -> None:
    allowed = sys.stdlib_module_names - IMPURE_STDLIB | PURE_THIRD_PARTY[core]
    foreign = [
        f"{path}: {name}"
        for path in product_files()
        if path.is_relative_to(core)
        for name in imported(parse(path))
        if name.split(".")[0] not in {*allowed, *PACKAGES} or name.startswith("numpy.random")
    ]
    assert foreign == []


@pytest.mark.parametrize("core", sorted(PURE_THIRD_PARTY))
def test_cores_touch_nothing_outside(core: str) -> None:
    calls = [
        f"{path}:{node.lineno}: {node.func.id}"
        for path in product_files()
        if path.is_relative_to(core)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_BUILTINS
    ]
    assert calls == []


def test_the_lock_pins_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    # A package may be pinned once per Python version, each with its own marker.
    pins: dict[str, set[str]] = {}
    for name, pinned in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE):
        pins.setdefault(canonicalize_name(name), set()).add(pinned)
    unmet = [
        line
        for line, wanted in ((line, Requirement(line)) for line in asked)
        if not pins.get(name := canonicalize_name(wanted.name))
        or not all(wanted.specifier.contains(pinned) for pinned in pins[name])
    ]
    assert unmet == [], "run `make lock`"
    assert not re.search(r"://|^-", lock, re.MULTILINE), "the lock names an index or a place"


def lint(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as they are, which keep every contract."""
    folder = tmp_path_factory.mktemp("copied")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    before = lint(folder)
    assert before.returncode == 0, before.stdout + before.stderr
    return folder


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [
        ("pure-cores", "gateway/core/planted.py", "import ray"),
        ("pure-cores", "lifecycle/core/planted.py", "from time import monotonic"),
        ("data-path-alone", "gateway/telemetry/planted.py", "import lifecycle.errors"),
        ("client-alone", "lifecycle/client/planted.py", "import lifecycle.core"),
        ("cli-by-the-sdk", "lifecycle/cli/planted.py", "import lifecycle.adapters.sql.store"),
        ("gateway-layers", "gateway/core/planted.py", "import gateway.ports"),
        ("lifecycle-layers", "lifecycle/core/planted.py", "import lifecycle.ports"),
    ],
)
def test_a_planted_import_breaks_its_contract(contract: str, module: str, line: str, copied: Path) -> None:
    planted = copied / module
    planted.write_text(f'"""Planted."""\n\n{line}\n', encoding="utf-8")
    after = lint(copied, "--contract", contract)
    planted.unlink()
    assert after.returncode == 1
    assert module.removesuffix(".py").replace("/", ".") in after.stdout
