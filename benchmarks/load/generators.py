"""wrk and h2load: how load is made and how their output is read. Counts only answers known to be right."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.question import GRPC_METHOD, Question, one_grpc_answer

PACKAGES = {"wrk": "wrk", "h2load": "nghttp2-client"}
GRPC_CONNECTIONS = 4
GRPC_STREAMS = 8

LUA = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
{headers}
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()

function done(summary, latency, requests)
  io.write(string.format(
    '\\n{{"requests": %d, "duration_us": %d, "errors": %d, "p50_us": %d, "p99_us": %d}}\\n',
    summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: right answers, their rate, and latencies in milliseconds (None where not measured)."""

    requests: int
    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None


def require_tools() -> None:
    """Install wrk and h2load from the system's packages if they are missing.

    Raises RuntimeError, naming the command to type, where that cannot be done.
    """
    missing = [package for tool, package in PACKAGES.items() if shutil.which(tool) is None]
    if not missing:
        return
    command = ["apt-get", "install", "-y", "-qq", *missing]
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise RuntimeError(f"the load generators are missing; install them with: sudo {' '.join(command)}")
    print(f"installing {' and '.join(missing)} with apt-get", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def http_load(
    url: str, question: Question, connections: int, seconds: int, headers: Mapping[str, str], folder: Path
) -> Sample:
    """Keep-alive connections, each asking again when answered. Raises RuntimeError if any request fails."""
    body = folder / "body.json"
    body.write_bytes(question.json_body)
    script = folder / "ask.lua"
    extra = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    script.write_text(LUA.format(headers=extra, body=body), encoding="utf-8")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "5s", "-s", str(script), url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told = json.loads(output.strip().splitlines()[-1])
    if told["errors"] or not told["requests"]:
        raise RuntimeError(f"{told['errors']} of {told['requests']} HTTP requests failed")
    return Sample(
        requests=told["requests"],
        per_second=told["requests"] / (told["duration_us"] / 1e6),
        p50_ms=told["p50_us"] / 1e3,
        p99_ms=told["p99_us"] / 1e3,
    )


def grpc_load(port: int, question: Question, seconds: int, folder: Path) -> Sample:
    """32 streams on 4 connections. h2load counts gRPC errors as successes, so data bytes are checked too.

    Asks once first: answers are as long as that one, but for a counter in them. Raises RuntimeError on any
    failure, grpc.RpcError or ValueError if the first answer is not right.
    """
    answer = one_grpc_answer(port, question)
    frame = folder / "frame.bin"
    frame.write_bytes(question.grpc_frame)
    output = subprocess.run(
        [
            *("h2load", "-t1", f"-c{GRPC_CONNECTIONS}", f"-m{GRPC_STREAMS}", f"--duration={seconds}"),
            *(f"--data={frame}", "-H", "content-type: application/grpc"),
            *("-H", "te: trailers", f"http://127.0.0.1:{port}{GRPC_METHOD}"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return read_h2load(output, len(answer))


def read_h2load(output: str, answer_bytes: int) -> Sample:
    """The rate of right answers in h2load's report. Raises RuntimeError if any is missing or too short."""
    succeeded, failed, errored, timeout = (
        int(_find(rf"requests:.* (\d+) {word}", output))
        for word in ("succeeded", "failed", "errored", "timeout")
    )
    if failed or errored or timeout or not succeeded:
        raise RuntimeError(f"{failed + errored + timeout} gRPC requests failed, {succeeded} succeeded")
    right = int(_find(r"\((\d+)\) data", output)) / (answer_bytes + 5)
    if not 0.98 <= right / succeeded <= 1.02:
        raise RuntimeError(f"{succeeded} gRPC answers carry the bytes of {right:.0f}: some are errors")
    return Sample(requests=succeeded, per_second=float(_find(r"finished in .*?, ([\d.]+) req/s", output)))


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"h2load's report lacks {pattern!r}:\n{text}")
    return match.group(1)
