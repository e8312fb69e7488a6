"""The processes that the demo starts: a Headrace, and the callers. Both end with it."""

import json
import subprocess
import sys
import threading
from pathlib import Path

from lifecycle.demo.facts import Second


class Cluster:
    """A Headrace on this machine, started and ended as a person would: by the command line."""

    def __init__(self, home: Path, host: str, http_port: int, grpc_port: int, admin_port: int) -> None:
        self.home = home
        self.http = f"{host}:{http_port}"
        self.grpc = f"{host}:{grpc_port}"
        self.admin = f"http://{host}:{admin_port}"
        self.started = False
        self._ports = [f"--http-port={http_port}", f"--grpc-port={grpc_port}", f"--admin-port={admin_port}"]

    def up(self) -> None:
        """Raises RuntimeError with the command's own words."""
        self._headrace("up", "--detach", "--home", str(self.home), *self._ports)
        self.started = True

    def down(self) -> None:
        self._headrace("down", "--home", str(self.home))

    def _headrace(self, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "lifecycle.cli", *words], capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip().removeprefix("headrace: ")
            raise RuntimeError(f"`headrace {words[0]}`: {said}")


class Callers:
    """The load generator's process, and what it says every second."""

    def __init__(self, cluster: Cluster, model: str, seconds: list[Second], seed: int) -> None:
        where = f"--http {cluster.http} --grpc {cluster.grpc} --admin {cluster.admin}"
        words = f"{where} --model {model} --seed {seed}".split()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lifecycle.demo.load", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._seconds = seconds
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wear_out(self) -> None:
        self._say("wear")

    def stop(self) -> None:
        if self.alive:
            self._say("stop")
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join(5)

    def _say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._seconds.append(Second.of(json.loads(line)))
