"""Where each peer lives: a Python environment of its own, made once and kept; and the system's packages.

Environments are kept in `.bench` of the checkout, or in the folder that HEADRACE_BENCH_CACHE names, which
several checkouts may share.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
STAMP = "requirements.json"

# A program (by name) or a file (by path) that a run needs, and the Debian package that holds it.
TOOLS = {"wrk": "wrk", "h2load": "nghttp2-client"}


def cache() -> Path:
    """The folder of all environments."""
    return Path(os.environ.get("HEADRACE_BENCH_CACHE") or ROOT / ".bench").absolute()


def prepare(python: str, requirements: Sequence[str]) -> Path:
    """The interpreter of an environment with these requirements, made now unless it is there.

    Environments are told by what is in them, so two peers with the same needs share one. Raises RuntimeError
    with the installer's own words.
    """
    wanted = json.dumps({"python": python, "requirements": sorted(requirements)}, indent=2)
    home = cache() / hashlib.sha256(wanted.encode()).hexdigest()[:12]
    interpreter = home / "bin" / "python"
    if (home / STAMP).exists():
        return interpreter
    home.parent.mkdir(parents=True, exist_ok=True)
    _uv("venv", "--clear", "--python", python, str(home))
    _uv("pip", "install", "--compile-bytecode", "--python", str(interpreter), *requirements)
    (home / STAMP).write_text(wanted, encoding="utf-8")
    return interpreter


def versions(interpreter: Path) -> dict[str, str]:
    """What is installed beside an interpreter."""
    listed = json.loads(_uv("pip", "list", "--format", "json", "--python", str(interpreter)))
    return {package["name"]: package["version"] for package in listed}


def require(tools: Mapping[str, str]) -> None:
    """Install the system's packages of what is missing: programs by name, files by path.

    Raises RuntimeError, naming the command to type, where that cannot be done.
    """
    missing = [
        package for tool, package in tools.items() if not (shutil.which(tool) or Path("/", tool).exists())
    ]
    if not missing:
        return
    command = ["apt-get", "install", "-y", "-qq", *missing]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise RuntimeError(f"something is missing; install it with: sudo {' '.join(command)}")
    print(f"installing {' and '.join(missing)} with apt-get", flush=True)
    for step in (["apt-get", "update", "-qq"], command):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(step)} failed: {done.stderr.strip()[-300:]}")


def _uv(*arguments: str) -> str:
    command = [str(UV), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise RuntimeError(f"uv {arguments[0]} failed: {' '.join(said[-5:])[-500:]}")
    return done.stdout
