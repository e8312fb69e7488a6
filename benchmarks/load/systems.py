"""How each system is started and stopped. Each gets two serving processes and the same artifact."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load.processes import MARK, free_port, marked, running, wait_for_answer
from benchmarks.load.question import MODEL, Question

ROOT = Path(__file__).resolve().parents[2]
JSON = {"content-type": "application/json"}
# Ray Serve skips a queue and a task per request when the client says that it will not disconnect early.
NO_DISCONNECT = {"x-request-disconnect-disabled": "?1"}
RAY_SETTINGS = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_HAPROXY_NBTHREAD": "1",
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
}


@dataclass(frozen=True, slots=True)
class Running:
    """Where a system listens, its processes' mark, and the HTTP headers it is fastest with.

    HTTP has answered rightly by now.
    """

    mark: str
    http_url: str | None = None
    grpc_port: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


@contextmanager
def headrace(question: Question, folder: Path) -> Iterator[Running]:
    """`headrace up` with its defaults: two workers behind the edge, taps, metrics and routing on."""
    http, grpc, admin = free_port(), free_port(), free_port()
    command = str(Path(sys.executable).parent / "headrace")
    home = folder / "home"
    url = f"http://127.0.0.1:{http}/v2/models/{MODEL}/infer"

    def call(*arguments: str, environment: dict[str, str]) -> None:
        done = subprocess.run(
            [command, *arguments], env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"headrace {arguments[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    with marked({"HEADRACE_URL": f"http://127.0.0.1:{admin}"}) as environment:
        ports = ("--http-port", str(http), "--grpc-port", str(grpc), "--admin-port", str(admin))
        call("up", "--home", str(home), *ports, "--detach", environment=environment)
        try:
            call("model", "register", MODEL, str(question.artifact), "--deploy", environment=environment)
            question.check_json(wait_for_answer(url, question.json_body, JSON, lambda: True))
            yield Running(environment[MARK], url, grpc)
        finally:
            call("down", "--home", str(home), environment=environment)


@contextmanager
def fastapi(question: Question, folder: Path) -> Iterator[Running]:
    """FastAPI and uvicorn with two workers."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/v2/models/{MODEL}/infer"
    command = [sys.executable, "-m", "benchmarks.peers.fastapi_server", str(port)]
    with (
        marked(_peer_environment(question)) as environment,
        running(command, environment, folder / "fastapi.log") as process,
    ):
        answer = wait_for_answer(url, question.json_body, JSON, lambda: process.poll() is None)
        question.check_json(answer)
        yield Running(environment[MARK], url)


@contextmanager
def grpcaio(question: Question, folder: Path) -> Iterator[Running]:
    """grpc.aio with two processes on one port. Speaks no HTTP."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.peers.grpc_server", str(port)]
    with (
        marked(_peer_environment(question)) as environment,
        running(command, environment, folder / "grpc.log"),
    ):
        yield Running(environment[MARK], grpc_port=port)


@contextmanager
def rayserve(question: Question, folder: Path) -> Iterator[Running]:
    """Ray Serve with its best flags and two replicas."""
    port, grpc_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}/v2/models/{MODEL}/infer"
    # Ray's unix sockets need a short path: at most 107 characters with the session's name in it.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as short:
        command = [sys.executable, "-m", "benchmarks.peers.rayserve_app", str(port), str(grpc_port), short]
        settings = {**RAY_SETTINGS, **_own_haproxy(Path(short)), **_peer_environment(question)}
        with (
            marked(settings) as environment,
            running(command, environment, folder / "rayserve.log") as process,
        ):
            answer = wait_for_answer(url, question.json_body, JSON, lambda: process.poll() is None)
            question.check_json(answer)
            yield Running(environment[MARK], url, grpc_port, NO_DISCONNECT)


def _own_haproxy(folder: Path) -> dict[str, str]:
    """Files and ports of this run's HAProxy: Serve's defaults are shared by everyone on the machine."""
    return {
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy" / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "haproxy" / "admin.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder / "haproxy"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "haproxy" / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "haproxy" / "metrics.sock"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(free_port()),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(free_port()),
    }


def _peer_environment(question: Question) -> dict[str, str]:
    return {"BENCH_ARTIFACT": str(question.artifact), "PYTHONPATH": str(ROOT)}


SYSTEMS: dict[str, Callable[[Question, Path], AbstractContextManager[Running]]] = {
    "headrace": headrace,
    "fastapi": fastapi,
    "grpcaio": grpcaio,
    "rayserve": rayserve,
}
