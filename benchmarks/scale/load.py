"""Uniform traffic over many models: every request goes to one drawn at random."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.load.generators import Sample
from benchmarks.load.question import Question

_LUA = """
local bodyfile = io.open("{body}", "rb")
local body = bodyfile:read("*a")
bodyfile:close()
local requests = {{}}

function init(args)
  math.randomseed(1)
  for model in io.lines("{models}") do
    local headers = {{ ["content-type"] = "application/json" }}
    requests[#requests + 1] = wrk.format("POST", "/v2/models/" .. model .. "/infer", headers, body)
  end
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\\n{{"requests": %d, "duration_us": %d, "failed": %d, "p50_us": %d, "p99_us": %d}}\\n',
    summary.requests, summary.duration,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


def uniform_load(
    port: int, models: Sequence[str], question: Question, connections: int, seconds: int, folder: Path
) -> Sample:
    """Keep-alive connections, each asking a model when it was answered. Raises RuntimeError on a failure."""
    names, body, script = folder / "models.txt", folder / "body.json", folder / "uniform.lua"
    names.write_text("\n".join(models) + "\n", encoding="utf-8")
    body.write_bytes(question.ask("json")[0])
    script.write_text(_LUA.format(body=body, models=names), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return read(output)


def read(output: str) -> Sample:
    """What wrk's script told at the end. Raises RuntimeError if any request failed, or none was sent."""
    told = json.loads(output.strip().splitlines()[-1])
    if told["failed"] or not told["requests"]:
        raise RuntimeError(f"{told['failed']} of {told['requests']} requests failed")
    return Sample(
        requests=told["requests"],
        per_second=told["requests"] / (told["duration_us"] / 1e6),
        p50_ms=told["p50_us"] / 1e3,
        p99_ms=told["p99_us"] / 1e3,
    )
