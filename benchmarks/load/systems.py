"""How each system is started and stopped. Each gets two serving processes and the same artifacts."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load.environments import ROOT
from benchmarks.load.processes import MARK, free_port, marked, running
from benchmarks.load.question import Question
from gateway.config import GatewayConfig


@dataclass(frozen=True, slots=True)
class Running:
    """A system that was started: its ports, its processes' mark, and the HTTP headers it is fastest with."""

    mark: str
    http_port: int
    grpc_port: int
    headers: Mapping[str, str] = field(default_factory=dict)
    alive: Callable[[], bool] = lambda: True


@contextmanager
def headrace(questions: Sequence[Question], folder: Path, edge: str) -> Iterator[Running]:
    """`headrace up` with its defaults but for the edge: two workers, taps, metrics and routing on."""
    http, grpc, admin = free_port(), free_port(), free_port()
    command = str(Path(sys.executable).parent / "headrace")
    home = folder / "home"

    def call(*arguments: str, environment: dict[str, str]) -> None:
        done = subprocess.run(
            [command, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"headrace {arguments[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    with marked({"HEADRACE_URL": f"http://127.0.0.1:{admin}"}) as environment:
        ports = ("--http-port", str(http), "--grpc-port", str(grpc), "--admin-port", str(admin))
        try:
            call("up", "--home", str(home), *ports, "--edge", edge, "--detach", environment=environment)
            for question in questions:
                artifact = str(question.artifact)
                call("model", "register", question.model, artifact, "--deploy", environment=environment)
            yield Running(environment[MARK], http, grpc)
            call("down", "--home", str(home), environment=environment)
        finally:
            # Ray's logs of a home stay until its next start, and this home has none.
            shutil.rmtree(f"{GatewayConfig(home=home).run_dir}-ray", ignore_errors=True)


@contextmanager
def module(
    interpreter: Path,
    arguments: Sequence[str],
    questions: Sequence[Question],
    folder: Path,
    settings: Mapping[str, str],
    headers: Mapping[str, str],
) -> Iterator[Running]:
    """A module of `benchmarks.peers`, given two ports and a folder; BENCH_MODELS is where the artifacts are.

    In `settings`, `{folder}` stands for that folder and `{port}` for a port that nobody listens on.
    """
    http, grpc = free_port(), free_port()
    name, *rest = arguments
    command = [str(interpreter), "-m", f"benchmarks.peers.{name}", str(http), str(grpc), str(folder), *rest]
    own = {key: value.format(folder=folder, port=free_port()) for key, value in settings.items()}
    path = {"PYTHONPATH": str(ROOT), "BENCH_MODELS": str(questions[0].artifact.parent)}
    log = folder / "output.log"
    with marked({**own, **path}) as environment, running(command, environment, log, folder) as process:
        yield Running(environment[MARK], http, grpc, headers, lambda: process.poll() is None)


Start = Callable[[Sequence[Question], Path], AbstractContextManager[Running]]
