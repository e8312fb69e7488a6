"""The README's first steps, run as they are written, on a Headrace of their own."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import Cluster, Load, free_port, signed

pytestmark = pytest.mark.e2e

README = Path(__file__).parents[2] / "README.md"
PORTS = ("8000", "8001", "8002")


def blocks(ports: dict[str, str]) -> list[tuple[str, str]]:
    """(language, text) of each block under `First steps`, with free ports in place of the default ones."""
    section = README.read_text().split("\n## First steps\n")[1].split("\n## ")[0]
    found = re.findall(r"```(bash|python)\n(.*?)```", section, re.DOTALL)
    return [
        (language, re.sub(r"localhost:(\d+)", lambda m: f"localhost:{ports[m[1]]}", text))
        for language, text in found
    ]


def test_first_steps_work_as_written(tmp_path: Path) -> None:
    ports = {name: str(free_port()) for name in PORTS}
    http, grpc, admin = map(int, ports.values())
    cluster = Cluster(tmp_path / "home", http, grpc, admin)
    for number, name in ((1, "model.onnx"), (2, "model2.onnx")):
        signed(number, tmp_path / name)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "headrace.toml").write_text(
        f"[gateway]\nhttp_port = {ports['8000']}\ngrpc_port = {ports['8001']}\nadmin_port = {ports['8002']}\n"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = cluster.environment | {"PATH": path}
    said = []
    with contextlib.ExitStack() as stack:
        stack.callback(cluster.down)
        for language, text in blocks(ports):
            if "rollout start" in text:  # a rollout looks at live traffic, so there is some
                stack.enter_context(Load(cluster, "fraud"))
            command = ["bash", "-ec", text] if language == "bash" else [sys.executable, "-c", text]
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            said.append(done.stdout)
            if "headrace up" in text:
                cluster.note_session()
    told = "\n".join(said)
    assert '"model_version":"1"' in told, "curl was answered by version 1"
    assert "1 [1. 1.]" in told, "tritonclient was answered by version 1"
    assert cluster.processes() == []
