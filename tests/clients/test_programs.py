"""Load tools and foreign clients, as programs: what `make clients` puts into `.clients`."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.served import Address

pytestmark = pytest.mark.clients

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".clients"
ROWS = {
    "model_name": "pair",
    "inputs": [
        {"name": name, "datatype": "FP32", "shape": [1, 4], "contents": {"fp32_contents": [1, 2, 3, 4]}}
        for name in ("a", "b")
    ],
}


def run(program: str, *arguments: str) -> str:
    """What an installed program prints."""
    if not (INSTALLED / ".ready").exists():
        pytest.skip(f"{program} is not installed: run `make clients`")
    done = subprocess.run(
        [str(INSTALLED / "bin" / program), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"LD_LIBRARY_PATH": str(INSTALLED / "lib")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_grpcurl_finds_the_service_by_reflection(address: Address) -> None:
    services = run("grpcurl", "-plaintext", address.grpc, "list").split()
    assert {"grpc.health.v1.Health", "inference.GRPCInferenceService"} <= set(services)
    described = run("grpcurl", "-plaintext", address.grpc, "describe", "inference.ModelInferRequest")
    assert "raw_input_contents" in described
    healthy = run("grpcurl", "-plaintext", address.grpc, "grpc.health.v1.Health/Check")
    assert json.loads(healthy) == {"status": "SERVING"}


def test_grpcurl_infers(address: Address) -> None:
    told = run(
        "grpcurl",
        "-plaintext",
        "-d",
        json.dumps(ROWS),
        address.grpc,
        "inference.GRPCInferenceService/ModelInfer",
    )
    assert json.loads(told)[
        "rawOutputContents" if "rawOutputContents" in told else "raw_output_contents"
    ] == ["AAAAQAAAgEAAAMBAAAAAQQ=="]


@pytest.mark.parametrize(("protocol", "batch"), [("http", 1), ("http", 8), ("grpc", 1), ("grpc", 8)])
def test_perf_analyzer_measures(address: Address, protocol: str, batch: int) -> None:
    told = run(
        "perf_analyzer",
        *("-m", "pair", "-i", protocol, "-u", getattr(address, protocol), "-b", str(batch)),
        *(
            "--concurrency-range",
            "2",
            "--measurement-mode",
            "count_windows",
            "--measurement-request-count",
            "50",
        ),
        *("--stability-percentage", "999", "--max-trials", "3"),
    )
    assert "Successful request count" in told
    assert "throughput" in told


K6 = """
import http from 'k6/http';
import grpc from 'k6/net/grpc';
import { check } from 'k6';
export const options = { vus: 4, iterations: 40, thresholds: { checks: ['rate==1'] } };
const body = JSON.stringify({ inputs: ['a', 'b'].map((name) => (
  { name, datatype: 'FP32', shape: [1, 4], data: [1, 2, 3, 4] })) });
const client = new grpc.Client();
client.load([__ENV.PROTOS], 'open_inference.proto');
export default () => {
  const answer = http.post(`http://${__ENV.HTTP}/v2/models/pair/infer`, body);
  check(answer, { 'http': (r) => r.status === 200 && r.json('outputs.0.data.3') === 8 });
  client.connect(__ENV.GRPC, { plaintext: true });
  const call = client.invoke('inference.GRPCInferenceService/ModelInfer', JSON.parse(__ENV.ROWS));
  check(call, { 'grpc': (r) => r.status === grpc.StatusOK
    && r.message.rawOutputContents[0] === 'AAAAQAAAgEAAAMBAAAAAQQ==' });
  client.close();
};
"""


def test_k6_runs_its_checks(address: Address, tmp_path: Path) -> None:
    script = tmp_path / "load.js"
    script.write_text(K6)
    given = {
        "HTTP": address.http,
        "GRPC": address.grpc,
        "ROWS": json.dumps(ROWS),
        "PROTOS": str(ROOT / "protos"),
    }
    environment = [word for name, value in given.items() for word in ("-e", f"{name}={value}")]
    run("k6", "run", "--quiet", "--no-usage-report", *environment, str(script))


def test_kserves_two_clients(address: Address) -> None:
    script = str(Path(__file__).with_name("kserve_client.py"))
    told = json.loads(run("kserve-python", script, *address).splitlines()[-1])
    assert told["ready"] == [True] * 6
    for way in ("json", "binary", "typed", "raw"):
        assert told[way] == ["k-1", "pair", [[2.0] * 4] * 2], way
    assert "no model named 'nobody'" in told["http error"]
    assert "no model named 'nobody'" in told["grpc error"]
