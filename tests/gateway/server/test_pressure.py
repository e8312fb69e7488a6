from typing import Any

from gateway.server.pressure import Pressure


def test_one_pause_of_the_machine_sheds_nothing() -> None:
    pressure = Pressure(0.25)
    for lag in (0.0, 5.0, 0.3, 0.0, 9.0):
        pressure.observe(lag)
        assert not pressure.high


def test_a_loop_that_stays_behind_sheds_until_it_has_caught_up() -> None:
    pressure = Pressure(0.25)
    for _ in range(3):
        pressure.observe(0.3)
    assert pressure.high
    pressure.observe(0.01)
    assert not pressure.high


async def test_under_pressure_inference_is_refused_and_health_is_not(
    client: Any, listener: Any, pair: Any
) -> None:
    for _ in range(2):
        assert (await client.post("/v2/models/pair/infer", pair)).status == 200
    listener.pressure.stop()
    for _ in range(3):
        listener.pressure.observe(1.0)
    refused = await client.post("/v2/models/pair/infer", pair)
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    path = "/inference.GRPCInferenceService/ModelInfer"
    refused = await client.post(path, b"", "content-type: application/grpc\r\n")
    assert refused.headers["grpc-status"] == "8"
    assert (await client.get("/v2/health/live")).status == 200
    assert listener.pressure.refused == 2
    listener.pressure.observe(0.0)
    assert (await client.post("/v2/models/pair/infer", pair)).status == 200
