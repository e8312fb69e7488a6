"""Triton as it ships in pytriton's wheel: its C++ front ends, and its Python backend. Run it as a module."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import onnxruntime as ort

from benchmarks.peers.inference import artifacts

MODEL = Path(__file__).with_name("triton_model.py")
DTYPES = {"tensor(float)": "TYPE_FP32", "tensor(int64)": "TYPE_INT64"}
CONFIG = """
backend: "python"
max_batch_size: {batch}
{tensors}
instance_group [{{ count: 2, kind: KIND_CPU }}]
{batching}
"""


def write_repository(folder: Path) -> Path:
    """A model repository with every artifact, each run by two processes of the Python backend."""
    repository = folder / "models"
    for model, artifact in artifacts().items():
        version = repository / model / "1"
        version.mkdir(parents=True)
        shutil.copy(MODEL, version / "model.py")
        session = ort.InferenceSession(
            str(artifact), ort.SessionOptions(), providers=["CPUExecutionProvider"]
        )
        sides = [("input", session.get_inputs()), ("output", session.get_outputs())]
        tensors = "\n".join(_tensor(side, node) for side, nodes in sides for node in nodes)
        config = CONFIG.format(tensors=tensors, batch=64, batching="dynamic_batching { }")
        (repository / model / "config.pbtxt").write_text(config, encoding="utf-8")
    return repository


def _tensor(side: str, node: ort.NodeArg) -> str:
    # The first dimension is Triton's own, that of its batch. What has no other needs one, which is taken off.
    shape = ", ".join(str(size) for size in node.shape[1:])
    dims = f"dims: [{shape}]" if shape else "dims: [1], reshape { shape: [] }"
    return f'{side} [{{ name: "{node.name}", data_type: {DTYPES[node.type]}, {dims} }}]'


def main(http: str, grpc: str, folder: Path) -> None:
    """Become tritonserver."""
    spec = importlib.util.find_spec("pytriton")
    assert spec is not None
    assert spec.origin is not None
    home = Path(spec.origin).parent / "tritonserver"
    backends = _own_backends(home, folder)
    # The stub finds its packages as the first python3 on the path does.
    programs, libraries = Path(sys.executable).parent, home.parents[1] / "nvidia_pytriton.libs"
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": str(libraries),
    }
    command = [
        str(home / "bin" / "tritonserver"),
        f"--model-repository={write_repository(folder)}",
        f"--backend-directory={backends}",
        *("--http-address=127.0.0.1", f"--http-port={http}"),
        *("--grpc-address=127.0.0.1", f"--grpc-port={grpc}"),
        *("--allow-metrics=false", "--log-info=false", "--disable-auto-complete-config"),
    ]
    os.execve(command[0], command, environment)


def _own_backends(home: Path, folder: Path) -> Path:
    # The stub, the process that runs a model, comes for several Pythons: ours goes beside the backend.
    backends = folder / "backends"
    shutil.copytree(home / "backends", backends)
    stubs = home / "python_backend_stubs" / f"{sys.version_info.major}.{sys.version_info.minor}"
    for stub in stubs.iterdir():
        shutil.copy(stub, backends / "python")
    return backends


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
