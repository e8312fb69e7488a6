"""wrk and h2load: how load is made and how their output is read. Counts only answers known to be right."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from benchmarks.load.question import GRPC_METHOD, grpc_frame

GRPC_CONNECTIONS = 4
SHORTEST = 0.98
"""Requests cut off at the end, and a counter in the answers, may cost so much of their bytes."""

LUA = """
wrk.method = "POST"
{headers}
local file = io.open("{body}", "rb")
wrk.body = file:read("*a")
file:close()

function done(summary, latency, requests)
  io.write(string.format(
    '\\n{{"requests": %d, "bytes": %d, "duration_us": %d, "errors": %d, "p50_us": %d, "p99_us": %d}}\\n',
    summary.requests, summary.bytes, summary.duration,
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


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent, by how many at once, and how long a right answer is (its body or message, in bytes)."""

    body: bytes
    headers: Mapping[str, str]
    at_once: int
    answer_bytes: int


def http_load(url: str, load: Load, seconds: int, folder: Path) -> Sample:
    """Keep-alive connections, each asking again when answered. Raises RuntimeError if any request fails."""
    body = folder / "body"
    body.write_bytes(load.body)
    script = folder / "ask.lua"
    headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in load.headers.items())
    script.write_text(LUA.format(headers=headers, body=body), encoding="utf-8")
    command = ["wrk", "-t1", f"-c{load.at_once}", f"-d{seconds}s", "--timeout", "5s", "-s", str(script), url]
    return read_wrk(_output(command), load.answer_bytes)


def read_wrk(output: str, answer_bytes: int) -> Sample:
    """The sample in the line that our script adds. Raises RuntimeError on failures and on short answers."""
    told = json.loads(output.strip().splitlines()[-1])
    requests = told["requests"]
    if not requests:
        raise RuntimeError("no HTTP request was answered in this time")
    if told["errors"]:
        raise RuntimeError(f"{told['errors']} HTTP requests failed beside {requests} answered")
    if told["bytes"] < SHORTEST * requests * answer_bytes:
        raise RuntimeError(f"{requests} HTTP answers are {told['bytes']} bytes: some are not the right one")
    return Sample(
        requests=requests,
        per_second=requests / (told["duration_us"] / 1e6),
        p50_ms=told["p50_us"] / 1e3,
        p99_ms=told["p99_us"] / 1e3,
    )


def grpc_load(port: int, load: Load, seconds: int, folder: Path) -> Sample:
    """Streams on 4 connections, or one on one, whose latencies are taken. Raises RuntimeError on failure."""
    frame, log = folder / "frame", folder / "latencies"
    frame.write_bytes(grpc_frame(load.body))
    log.unlink(missing_ok=True)
    connections = min(GRPC_CONNECTIONS, load.at_once)
    command = [
        *("h2load", "-t1", f"-c{connections}", f"-m{load.at_once // connections}", f"--duration={seconds}"),
        *(f"--data={frame}", "-H", "content-type: application/grpc", "-H", "te: trailers"),
        *([f"--log-file={log}"] if load.at_once == 1 else []),
        f"http://127.0.0.1:{port}{GRPC_METHOD}",
    ]
    return read_h2load(_output(command), load.answer_bytes, log.read_text() if log.exists() else "")


def read_h2load(output: str, answer_bytes: int, log: str = "") -> Sample:
    """The rate of right answers. h2load counts gRPC errors as successes, so the data bytes must fit too.

    `log` has a line per request: start, status, microseconds. Raises RuntimeError if any answer is missing or
    too short.
    """
    succeeded, failed, errored, timeout = (
        int(_find(rf"requests:.* (\d+) {word}", output))
        for word in ("succeeded", "failed", "errored", "timeout")
    )
    if failed or errored or timeout or not succeeded:
        raise RuntimeError(f"{failed + errored + timeout} gRPC requests failed, {succeeded} succeeded")
    right = int(_find(r"\((\d+)\) data", output)) / (answer_bytes + 5)
    if right < SHORTEST * succeeded:
        raise RuntimeError(f"{succeeded} gRPC answers carry the bytes of {right:.0f}: some are errors")
    rate = float(_find(r"finished in .*?, ([\d.]+) req/s", output))
    latencies = [int(line.split("\t")[2]) / 1e3 for line in log.splitlines()]
    if len(latencies) < 2:
        return Sample(succeeded, rate)
    percentiles = quantiles(latencies, n=100)
    return Sample(succeeded, rate, percentiles[49], percentiles[98])


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def _find(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"h2load's report lacks {pattern!r}:\n{text}")
    return match.group(1)
