"""The README's first steps and the calls of docs/clients.md, run as written, on a Headrace of their own."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from sklearn.datasets import load_iris

from tests.e2e.harness import Cluster
from tests.ports import free_port

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PORTS = ("8000", "8001", "8002")
RUN = {"python": (sys.executable,), "js": ("node",), "java": ("java",), "go": ("go", "run")}
FILES = {"python": "call.py", "js": "call.mjs", "java": "Call.java", "go": "call.go"}


def blocks(page: str, ports: dict[str, str]) -> list[tuple[str, str]]:
    """(language, text) of each program on a page, with free ports in place of the default ones."""
    found = re.findall(r"```(bash|python|js|java|go)\n(.*?)```", page, re.DOTALL)
    return [
        (language, re.sub(r"localhost:(\d+)", lambda m: f"localhost:{ports[m[1]]}", text))
        for language, text in found
    ]


def call_in_other_languages(folder: Path, ports: dict[str, str]) -> None:
    """Run each program of docs/clients.md whose language is installed."""
    for language, text in blocks((ROOT / "docs" / "clients.md").read_text(), ports):
        if shutil.which(RUN[language][0]):
            (folder / FILES[language]).write_text(text)
            command = [*RUN[language], FILES[language]]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert (done.returncode, "0" in done.stdout) == (0, True), f"{text}\n{done.stderr}"


@contextlib.contextmanager
def callers(cluster: Cluster) -> Iterator[None]:
    """Two callers who ask about flowers all the time."""
    flowers = load_iris().data
    stopped = threading.Event()

    def ask() -> None:
        for flower in cycle(flowers.tolist()):
            if stopped.is_set():
                return
            tensor = {"name": "X", "shape": [1, 4], "datatype": "FP32", "data": flower}
            cluster.post("/v2/models/iris/infer", {"inputs": [tensor]})

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def test_first_steps_work_as_written(tmp_path: Path) -> None:
    ports = {name: str(free_port()) for name in PORTS}
    http, grpc, admin = map(int, ports.values())
    cluster = Cluster(tmp_path / "home", http, grpc, admin)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "headrace.toml").write_text(
        f"[gateway]\nhttp_port = {ports['8000']}\ngrpc_port = {ports['8001']}\nadmin_port = {ports['8002']}\n"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = cluster.environment | {"PATH": path}
    said = []
    with contextlib.ExitStack() as stack:
        stack.callback(cluster.down)
        steps = (ROOT / "README.md").read_text().split("\n## First steps\n")[1].split("\n## ")[0]
        for language, text in blocks(steps, ports):
            if "rollout start" in text:  # a rollout looks at live traffic, so there is some
                calling = stack.enter_context(contextlib.ExitStack())
                calling.enter_context(callers(cluster))
            if "headrace down" in text:
                calling.close()
            command = ["bash", "-ec", text] if language == "bash" else [sys.executable, "-c", text]
            done = subprocess.run(
                command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            said.append(done.stdout)
            if "headrace up" in text:
                cluster.note_session()
            if "client.infer" in text:
                call_in_other_languages(tmp_path, ports)
    told = "\n".join(said)
    assert '"model_version":"1"' in told, "curl was answered by version 1"
    assert "version 1 says [0 2]" in told, "tritonclient was answered by version 1"
    assert "curl -s http" in told, "a first request was printed"
    assert "version 2: promoted" in told
    assert cluster.processes() == []
