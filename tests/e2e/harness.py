"""What the end-to-end tests act with: a Headrace, models that name themselves, and callers."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import tritonclient.grpc as triton
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lifecycle.client import Client
from lifecycle.errors import LifecycleError
from tests.graphs import serialised


@dataclass(frozen=True)
class Cluster:
    """A running Headrace and the command line that steers it."""

    home: Path
    http: int
    grpc: int
    admin: int
    sessions: set[int] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.admin}"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"HEADRACE_URL": self.url, "HEADRACE_HOME": str(self.home)}

    def client(self) -> Client:
        return Client(self.url, actor="test")

    def headrace(self, *words: str) -> str:
        """Run a command; its standard output. A failure shows what it said."""
        command = [sys.executable, "-m", "lifecycle.cli", *words]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"headrace {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def up(self, *more: str) -> None:
        ports = (f"--http-port={self.http}", f"--grpc-port={self.grpc}", f"--admin-port={self.admin}")
        self.headrace("up", "--detach", *ports, *more)
        self.note_session()

    def note_session(self) -> None:
        """Remember who runs now, to tell later what it left behind."""
        self.sessions.add(self._pid)

    @property
    def _pid(self) -> int:
        return int(json.loads((self.home / "run" / "headrace.json").read_text())["pid"])

    def terminate(self) -> None:
        """Ask it to end, as a service manager does; returns at once."""
        os.kill(self._pid, signal.SIGTERM)

    def down(self) -> None:
        self.headrace("down")

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Processes of this Headrace's session that carry `name` in their command line."""
        return [process for process, command in self._commands() if name in command]

    def left(self) -> list[str]:
        """The command lines of those that run."""
        return [command for _, command in self._commands()]

    def _commands(self) -> Iterator[tuple[psutil.Process, str]]:
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):  # it may end at any time
                if os.getsid(process.pid) in self.sessions:
                    yield process, " ".join(process.cmdline())

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=10)
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        assert response.status == 200, answer
        return dict(answer)


class Node(Cluster):
    """Of a cluster, by an address of its own."""

    def up(self, *more: str) -> None:
        super().up("--workers=1", *more)

    def kill(self) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.http}/v2/health/ready").is_success
        return False


def kill(worker: str) -> None:
    """A live one, by its name; workers that leave have processes, too, for a while."""
    os.kill(int(worker.rpartition("-")[2]), signal.SIGKILL)


def workers(client: Client) -> set[str]:
    with suppress(LifecycleError):
        return {worker["worker"] for worker in client.status()["workers"] if client.ready()}
    return set()


def signed(version: int, path: Path, work: int = 1) -> Path:
    """A model that answers with its own number: `served` is the version for every row of `x` [-1, 4].

    A run of it multiplies two matrices of `work` x `work`, which changes nothing.
    """
    nodes = [
        helper.make_node("ReduceSum", ["x", "last"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "nothing"], ["zeros"]),
        helper.make_node("Shape", ["x"], ["shape"]),  # and not the values: rows are nothing to each other
        helper.make_node("Cast", ["shape"], ["lengths"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["lengths"], ["length"], keepdims=0),
        helper.make_node("Mul", ["length", "nothing"], ["zero"]),
        helper.make_node("Expand", ["zero", "square"], ["matrix"]),
        helper.make_node("MatMul", ["matrix", "matrix"], ["product"]),
        helper.make_node("ReduceSum", ["product"], ["still zero"], keepdims=0),
        helper.make_node("Add", ["still zero", "number"], ["one number"]),
        helper.make_node("Add", ["zeros", "one number"], ["served"]),
    ]
    constants: dict[str, NDArray[np.generic]] = {
        "last": np.array([1], np.int64),
        "nothing": np.array(0, np.float32),
        "number": np.array(version, np.float32),
        "square": np.array([work, work], np.int64),
    }
    graph = helper.make_graph(
        nodes,
        "signed",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("served", TensorProto.FLOAT, [None])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    path.write_bytes(serialised(graph))
    return path


@dataclass
class Load:
    """Closed-loop callers over HTTP and gRPC that check every answer, until stopped."""

    cluster: Cluster
    model: str
    served: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def __enter__(self) -> "Load":
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        calls = (self._http, self._http, self._grpc, self._grpc)
        self._threads = [threading.Thread(target=call, daemon=True) for call in calls]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(15)

    @property
    def sent(self) -> int:
        return sum(self.served.values()) + len(self.failures)

    def _http(self) -> None:
        body = json.dumps(
            {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
        )
        connection = http.client.HTTPConnection("127.0.0.1", self.cluster.http, timeout=10)
        while not self._stopped.is_set():
            try:
                connection.request("POST", f"/v2/models/{self.model}/infer", body)
                response = connection.getresponse()
                data = response.read()
                assert response.status == 200, data
                answer = json.loads(data)
                self._count(int(answer["model_version"]), answer["outputs"][0]["data"][0])
            except Exception as error:
                self._fail(f"HTTP: {error!r}")
                connection.close()
        connection.close()

    def _grpc(self) -> None:
        client = triton.InferenceServerClient(f"127.0.0.1:{self.cluster.grpc}")
        tensor = triton.InferInput("x", [1, 4], "FP32")
        tensor.set_data_from_numpy(np.ones((1, 4), np.float32))
        while not self._stopped.is_set():
            try:
                result = client.infer(self.model, [tensor], client_timeout=10)
                self._count(int(result.get_response().model_version), result.as_numpy("served")[0])
            except Exception as error:
                self._fail(f"gRPC: {error!r}")
        client.close()

    def _count(self, version: int, answer: float) -> None:
        assert version == int(answer), f"version {version} is named, version {answer} answered"
        with self._lock:
            self.served[version] = self.served.get(version, 0) + 1

    def _fail(self, reason: str) -> None:
        with self._lock:
            self.failures.append(reason)
