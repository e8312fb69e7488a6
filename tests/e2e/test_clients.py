"""The clients and load tools that people have, at a whole cluster: through its edge to two workers."""

from pathlib import Path

import pytest

from tests.clients import test_programs as programs
from tests.clients import test_tritonclient as triton
from tests.clients.served import Address, models
from tests.e2e.harness import Cluster

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("default"),  # tritonclient's own, as in its other tests
]


@pytest.fixture(scope="module")
def address(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Address:
    artifact = tmp_path_factory.mktemp("pair") / "pair.onnx"
    artifact.write_bytes(models()["pair"])
    cluster.headrace("model", "register", "pair", str(artifact), "--deploy")
    return Address(f"127.0.0.1:{cluster.http}", f"127.0.0.1:{cluster.grpc}")


@pytest.mark.parametrize("kind", ["http", "http.aio", "grpc", "grpc.aio"])
async def test_tritonclient(kind: str, address: Address) -> None:
    client = triton.Client(kind, address)
    await triton.test_health_and_readiness(client)
    await triton.test_what_the_server_and_its_models_are(client)
    await triton.test_compression_both_ways(client)
    await triton.test_classification(client)
    await client.call("close")


def test_tritonclients_stream(address: Address) -> None:
    triton.test_a_stream(address)


def test_grpcurl(address: Address) -> None:
    programs.test_grpcurl_finds_the_service_by_reflection(address)
    programs.test_grpcurl_infers(address)


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_perf_analyzer(protocol: str, address: Address) -> None:
    programs.test_perf_analyzer_measures(address, protocol, 8)


def test_k6(address: Address, tmp_path: Path) -> None:
    programs.test_k6_runs_its_checks(address, tmp_path)


def test_kserves_two_clients(address: Address) -> None:
    programs.test_kserves_two_clients(address)
