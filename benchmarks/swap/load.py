"""h2load as the caller during swaps: a given number of requests at a given rate, each one accounted for."""

import math
import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.load.question import GRPC_METHOD, Question, grpc_frame

CONNECTIONS = 8
"""Per protocol; h2load takes its rate per connection."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Who is called: one protocol, with the body to send and the bytes of one right answer.

    `answer_bytes` is 0 where answers vary in length and the status tells all.
    """

    name: str
    url: str
    options: tuple[str, ...]
    body: Path
    answer_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What callers saw. `failed` counts refusals, wrong statuses, broken connections and missing answers."""

    requests: int
    failed: int
    per_second: float
    p50_ms: float
    p99_ms: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def aims(
    question: Question, http_port: int, grpc_port: int, answer_bytes: int, folder: Path
) -> tuple[Aim, Aim]:
    """HTTP/1.1 with JSON, and gRPC. `answer_bytes` is the length of one right gRPC message."""
    json_body, frame = folder / "body.json", folder / "frame.bin"
    json_body.write_bytes(question.ask("json")[0])
    frame.write_bytes(grpc_frame(question.ask("grpc")[0]))
    grpc = ("-H", "content-type: application/grpc", "-H", "te: trailers", "-m1")
    return (
        Aim(
            "HTTP JSON",
            f"http://127.0.0.1:{http_port}{question.path}",
            ("--h1", "-H", "content-type: application/json"),
            json_body,
        ),
        Aim("gRPC", f"http://127.0.0.1:{grpc_port}{GRPC_METHOD}", grpc, frame, answer_bytes + 5),
    )


class Load:
    """One h2load at work; `result` waits for its end."""

    def __init__(self, aim: Aim, requests: int, per_second: float, folder: Path) -> None:
        self._aim = aim
        self._requests = requests
        self._log = folder / f"{aim.name.replace(' ', '-')}-{requests}.log"
        self._log.unlink(missing_ok=True)
        rate = [f"--rps={max(per_second / CONNECTIONS, 1):.0f}"] if per_second else []
        command = ["h2load", "-t1", f"-c{CONNECTIONS}", f"-n{requests}", *rate, f"--data={aim.body}"]
        self._process = subprocess.Popen(
            [*command, f"--log-file={self._log}", *aim.options, aim.url], stdout=subprocess.PIPE, text=True
        )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def result(self) -> Seen:
        output, _ = self._process.communicate()
        seen = read(output, np.loadtxt(self._log, np.int64, ndmin=2), self._requests, self._aim.answer_bytes)
        self._log.unlink()
        return seen

    def stop(self) -> None:
        if self.running:
            self._process.terminate()
            self._process.wait()


def read(output: str, log: NDArray[np.int64], asked: int, answer_bytes: int) -> Seen:
    """h2load's summary and its log: a line per answer with its start, status and duration in microseconds.

    h2load takes a gRPC error for a success, so there the bytes must be those of the right answers.
    """
    right = int((log[:, 1] == 200).sum())
    if answer_bytes:
        right = min(right, round(int(_find(r"\((\d+)\) data", output)) / answer_bytes))
    p50, p99 = (float(np.quantile(log[:, 2], q)) / 1e3 for q in (0.5, 0.99)) if len(log) else (math.nan,) * 2
    return Seen(asked, asked - right, float(_find(r"finished in .*?, ([\d.]+) req/s", output)), p50, p99)


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"h2load's report lacks {pattern!r}:\n{text}")
    return match.group(1)
