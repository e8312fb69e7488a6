"""tritonclient unchanged: HTTP and gRPC, blocking and asynchronous, directly and through the edge."""

import inspect
import queue
from collections.abc import AsyncIterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

from gateway.core.types import NUMPY_DTYPES, Array
from tests.clients.served import Address

pytestmark = [
    pytest.mark.clients,
    # tritonclient's own: it imports gevent, and leaves pools to the garbage collector.
    pytest.mark.filterwarnings("default"),
]

ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)


class Client:
    """One of the four clients, called alike: `call` awaits what has to be awaited."""

    def __init__(self, kind: str, address: Address) -> None:
        self.module: Any = import_module(f"tritonclient.{kind}")
        self.kind = kind
        self.http = kind.startswith("http")
        self.inner: Any = self.module.InferenceServerClient(address.http if self.http else address.grpc)

    async def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        if not self.http and method.startswith("get_"):
            named["as_json"] = True
        found = getattr(self.inner, method)(*arguments, **named)
        return await found if inspect.isawaitable(found) else found

    async def infer(self, model: str, inputs: dict[str, Array], **named: Any) -> Any:
        return await self.call("infer", model, [self._tensor(*item) for item in inputs.items()], **named)

    def _tensor(self, name: str, array: Array) -> Any:
        datatype = import_module("tritonclient.utils").np_to_triton_dtype(array.dtype)
        return self.module.InferInput(name, list(array.shape), datatype).set_data_from_numpy(array)

    def wanted(self, name: str, **named: Any) -> Any:
        return self.module.InferRequestedOutput(name, **named)


@pytest.fixture(params=["http", "http.aio", "grpc", "grpc.aio"])
async def client(request: pytest.FixtureRequest, address: Address) -> AsyncIterator[Client]:
    client = Client(request.param, address)
    yield client
    await client.call("close")


async def test_health_and_readiness(client: Client) -> None:
    assert await client.call("is_server_live")
    assert await client.call("is_server_ready")
    assert await client.call("is_model_ready", "pair")
    assert await client.call("is_model_ready", "pair", "1")
    assert not await client.call("is_model_ready", "nobody")


async def test_what_the_server_and_its_models_are(client: Client) -> None:
    server = await client.call("get_server_metadata")
    assert (server["name"], server["version"]) == ("headrace", version("headrace"))
    assert "statistics" in server["extensions"]
    metadata = await client.call("get_model_metadata", "pair")
    assert (metadata["name"], metadata["versions"]) == ("pair", ["1"])
    assert [(t["name"], t["datatype"], [int(n) for n in t["shape"]]) for t in metadata["inputs"]] == [
        ("a", "FP32", [-1, 4]),
        ("b", "FP32", [-1, 4]),
    ]
    config = await client.call("get_model_config", "pair")
    config = config.get("config", config)
    assert config["max_batch_size"] > 1
    assert [[int(n) for n in t["dims"]] for t in config["input"]] == [[4], [4]]
    index = await client.call("get_model_repository_index")
    names = {row["name"]: row["state"] for row in (index if isinstance(index, list) else index["models"])}
    assert names["pair"] == "READY"


async def test_statistics_count_answers_and_failures(client: Client) -> None:
    async def counts() -> list[int]:
        stats = (await client.call("get_inference_statistics", "loose", "1"))["model_stats"][0]
        told = [stats["inference_stats"].get(side, {}).get("count", 0) for side in ("success", "fail")]
        return [int(count) for count in (*told, stats.get("inference_count", 0))]

    before = await counts()
    await client.infer("loose", {"x": np.zeros((3, 1, 2), np.int64)})
    with pytest.raises(Exception, match="shape"):
        await client.infer("loose", {"x": np.zeros((3, 1, 5), np.int64)})
    after = await counts()
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 3]


async def test_an_inference_with_id_parameters_version_and_some_outputs(client: Client) -> None:
    result = await client.infer(
        "memory",
        {"x": np.ones((1, 2), np.float32), "state": np.ones((1, 2), np.float32)},
        outputs=[client.wanted("next_state")],
        request_id="r-7",
        model_version="1",
        parameters={"routing_key": "alice", "note": "x", "n": 3, "flag": True},
        headers={"x-headrace-key": "bob"},
    )
    assert result.as_numpy("next_state").tolist() == [[2.0, 2.0]]
    assert result.as_numpy("y") is None
    response = result.get_response()
    known = (
        response
        if isinstance(response, dict)
        else {"id": response.id, "model_version": response.model_version, "model_name": response.model_name}
    )
    assert (known["id"], known["model_version"], known["model_name"]) == ("r-7", "1", "memory")


SHARED: dict[str, Array] = {
    "half": np.array([[1.5, -2.25], [0.1, 65504.0]], np.float16),
    "brain": np.array([[1.5, -2.25], [3e38, 0.0]], NUMPY_DTYPES["BF16"]),
    "scalar": np.array(1e-300),
    "loose": np.arange(12, dtype=np.int64).reshape(2, 3, 2),
    "fixed": np.arange(6, dtype=np.uint8).reshape(2, 3),
    "text": np.array([["água"], [""], ["a\0b"]], np.object_),
    "zero": np.zeros((0, 4), np.float32),
}


@pytest.mark.parametrize("case", SHARED)
async def test_types_scalars_zero_rows_and_free_dimensions(client: Client, case: str) -> None:
    array = SHARED[case]
    if case == "zero":
        assert (await client.infer("pair", {"a": array, "b": array})).as_numpy("sum").shape == (0, 4)
        return
    echoed = (await client.infer(case, {"x": array})).as_numpy("y")
    if case == "text":
        echoed = np.array([[item.decode() for item in row] for row in echoed], np.object_)
    np.testing.assert_array_equal(echoed, array)
    assert echoed.dtype == array.dtype
    assert echoed.shape == array.shape


async def test_compression_both_ways(client: Client) -> None:
    large = np.ones((500, 4), np.float32)
    for algorithm in ("gzip", "deflate"):
        named = {"compression_algorithm": algorithm}
        if client.http:
            named = {f"{side}_compression_algorithm": algorithm for side in ("request", "response")}
        result = await client.infer("pair", {"a": large, "b": large}, **named)
        assert result.as_numpy("sum").tolist() == (large + large).tolist()


async def test_classification(client: Client) -> None:
    result = await client.infer("pair", {"a": ROWS, "b": ROWS}, outputs=[client.wanted("sum", class_count=2)])
    top = result.as_numpy("sum")
    assert top.shape == (3, 2)
    assert top[0].tolist() == [b"6.000000:3", b"4.000000:2"]


@pytest.mark.parametrize(
    ("model", "inputs", "status", "said"),
    [
        ("nobody", {"x": ROWS}, ("404", "StatusCode.NOT_FOUND"), "no model named"),
        ("pair", {"a": ROWS}, ("400", "StatusCode.INVALID_ARGUMENT"), "'b' is missing"),
        ("half", {"x": ROWS}, ("400", "StatusCode.INVALID_ARGUMENT"), "takes FP16"),
    ],
)
async def test_errors_say_what_to_do(
    client: Client, model: str, inputs: dict[str, Array], status: tuple[str, str], said: str
) -> None:
    refused = import_module("tritonclient.utils").InferenceServerException
    with pytest.raises(refused, match=said) as caught:
        await client.infer(model, inputs)
    assert caught.value.status() == status[not client.http]


@pytest.mark.parametrize("kind", ["http", "http.aio"])
async def test_json_only(address: Address, kind: str) -> None:
    client = Client(kind, address)
    tensors = [
        client.module.InferInput(name, [3, 4], "FP32").set_data_from_numpy(ROWS, binary_data=False)
        for name in ("a", "b")
    ]
    result = await client.call("infer", "pair", tensors, outputs=[client.wanted("sum", binary_data=False)])
    assert result.get_output("sum")["data"] == (ROWS + ROWS).ravel().tolist()
    await client.call("close")


def test_a_stream(address: Address) -> None:
    client = Client("grpc", address)
    answers: queue.Queue[tuple[Any, Any]] = queue.Queue()
    client.inner.start_stream(lambda result, error: answers.put((result, error)))
    tensors = [client._tensor(name, ROWS) for name in ("a", "b")]
    for number in range(3):
        client.inner.async_stream_infer(
            "pair", tensors, request_id=f"{number}", enable_empty_final_response=True
        )
    client.inner.async_stream_infer("nobody", tensors)
    for number in range(3):
        result, error = answers.get(timeout=10)
        assert error is None
        assert result.get_response().id == f"{number}"
        assert result.get_response().parameters["triton_final_response"].bool_param
        assert result.as_numpy("sum").tolist() == (ROWS + ROWS).tolist()
    assert "no model named" in str(answers.get(timeout=10)[1])
    client.inner.stop_stream()
    client.inner.close()


async def test_an_asynchronous_stream(address: Address) -> None:
    client = Client("grpc.aio", address)
    tensors = [client._tensor(name, ROWS) for name in ("a", "b")]

    async def requests() -> AsyncIterator[dict[str, Any]]:
        for number in range(3):
            yield {"model_name": "pair", "inputs": tensors, "request_id": f"{number}"}

    got = [(result.get_response().id, error) async for result, error in client.inner.stream_infer(requests())]
    assert got == [("0", None), ("1", None), ("2", None)]
    await client.call("close")


@pytest.mark.parametrize("kind", ["http", "grpc"])
def test_many_at_once(address: Address, kind: str) -> None:
    client = Client(kind, address)
    tensors = [client._tensor(name, ROWS) for name in ("a", "b")]
    if client.http:
        for pending in [client.inner.async_infer("pair", tensors) for _ in range(8)]:
            assert pending.get_result().as_numpy("sum").tolist() == (ROWS + ROWS).tolist()
    else:
        done: queue.Queue[tuple[Any, Any]] = queue.Queue()
        for _ in range(8):
            client.inner.async_infer("pair", tensors, lambda result, error: done.put((result, error)))
        for _ in range(8):
            result, error = done.get(timeout=10)
            assert error is None
            assert result.as_numpy("sum").tolist() == (ROWS + ROWS).tolist()
    client.inner.close()


async def test_the_log_level_can_be_read_and_set(client: Client) -> None:
    def plain(settings: Any) -> dict[str, Any]:
        return {
            k: next(iter(v.values())) if isinstance(v, dict) else v
            for k, v in settings.get("settings", settings).items()
        }

    before = plain(await client.call("get_log_settings"))
    assert before["log_warning"] is True
    try:
        named = {} if client.http else {"as_json": True}
        told = plain(await client.call("update_log_settings", {"log_verbose_level": 1}, **named))
        assert (told["log_verbose_level"], told["log_info"]) == (1, True)
        assert plain(await client.call("get_log_settings")) == told
    finally:
        await client.call("update_log_settings", {"log_verbose_level": 0, "log_info": before["log_info"]})
    assert plain(await client.call("get_log_settings")) == before


async def test_shared_memory_is_refused_in_words(client: Client) -> None:
    said = "404.*shared memory is not supported" if client.http else "UNIMPLEMENTED"
    for kind in ("system", "cuda"):
        with pytest.raises(Exception, match=said):
            await client.call(f"unregister_{kind}_shared_memory")


async def test_tracing_is_off_and_stays_off(client: Client) -> None:
    settings = await client.call("get_trace_settings")
    level = settings.get("settings", settings)["trace_level"]
    assert level in (["OFF"], {"value": ["OFF"]})
    with pytest.raises(Exception, match="tracing is off"):
        await client.call("update_trace_settings", settings={"trace_level": ["TIMESTAMPS"]})
