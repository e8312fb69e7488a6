"""The models: light nets that the onnx wheel carries, and magika's, taken from its wheel into a folder."""

import subprocess
import sys
import zipfile
from pathlib import Path

import onnx

MAGIKA = "magika==1.0.3"
LIGHT = ("light_shufflenet", "light_squeezenet", "light_resnet50")


def nets(folder: Path) -> dict[str, Path]:
    """Name and file of each. Needs pip's index, once, for magika."""
    light = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
    return {"magika": _magika(folder)} | {name: light / f"{name}.onnx" for name in LIGHT}


def _magika(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), MAGIKA]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("magika-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (model,) = (name for name in archive.namelist() if name.endswith("model.onnx"))
        return Path(archive.extract(model, folder))
