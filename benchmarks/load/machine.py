"""The facts about the machine and the programs that a reader needs to judge a result."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

LIBRARIES = ("ray", "onnxruntime", "uvloop", "httptools", "orjson", "numpy")


def facts() -> dict[str, Any]:
    """Processor, memory, kernel, versions, load and date of this run."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "tools": {"wrk": _first_line("wrk", "-v"), "h2load": _first_line("h2load", "--version")},
        "load_average_before": round(os.getloadavg()[0], 2),
    }


def _first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()[0].split("  Copyright")[0].split(" [")[0]
