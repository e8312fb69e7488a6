from typing import Any

import orjson
import pytest
from google.protobuf.json_format import ParseDict

from gateway.errors import GatewayError
from gateway.protocols import open_inference_pb2 as pb
from gateway.server.context import Context
from gateway.server.grpc.calls import CALLS
from gateway.server.http.message import Request
from gateway.server.http.paths import parse, respond
from gateway.server.tally import Count, Tally


def test_every_unary_method_but_inference_is_in_the_table() -> None:
    methods = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods_by_name
    assert set(methods) - set(CALLS) == {"ModelInfer", "ModelStreamInfer"}


@pytest.mark.parametrize("ready", [True, False])
async def test_ready_follows_the_server(ready: bool, engine: Any) -> None:
    answer = await CALLS["ServerReady"](Context(engine.routes, Tally(), ready), b"")
    assert answer == pb.ServerReadyResponse(ready=ready)


async def test_whole_documents_are_the_same_over_http_and_grpc(engine: Any) -> None:
    tally = Tally()
    tally.counts["pair", 1] = Count(requests=3, rows=7, busy_ns=900, failed=1, failed_ns=20, last=1.5)
    context = Context(engine.routes, tally, True)
    for method, asked, path, wrapped, kind in (
        ("ServerMetadata", pb.ServerMetadataRequest(), "/v2", "", pb.ServerMetadataResponse),
        (
            "ModelMetadata",
            pb.ModelMetadataRequest(name="pair"),
            "/v2/models/pair",
            "",
            pb.ModelMetadataResponse,
        ),
        (
            "ModelConfig",
            pb.ModelConfigRequest(name="text"),
            "/v2/models/text/config",
            "config",
            pb.ModelConfigResponse,
        ),
        ("ModelStatistics", pb.ModelStatisticsRequest(), "/v2/models/stats", "", pb.ModelStatisticsResponse),
    ):
        request = Request()
        request.method = b"GET"
        document = orjson.loads(
            (await respond(context, request, parse(path.encode()))).partition(b"\r\n\r\n")[2]
        )
        expected = ParseDict({wrapped: document} if wrapped else document, kind())
        assert await CALLS[method](context, asked.SerializeToString()) == expected
        assert expected.ByteSize() > 0


async def test_tracing_is_off(engine: Any) -> None:
    trace, context = CALLS["TraceSetting"], Context(engine.routes, Tally(), True)
    told = await trace(context, b"")
    assert isinstance(told, pb.TraceSettingResponse)
    assert told.settings["trace_level"].value == ["OFF"]
    with pytest.raises(GatewayError, match="no model"):
        await trace(context, pb.TraceSettingRequest(model_name="nobody").SerializeToString())


async def test_the_log_level_is_told_and_wrong_settings_are_refused(engine: Any) -> None:
    log, context = CALLS["LogSettings"], Context(engine.routes, Tally(), True)
    told = await log(context, b"")
    assert isinstance(told, pb.LogSettingsResponse)
    assert told.settings["log_error"].bool_param
    no = pb.LogSettingsRequest.SettingValue(bool_param=False)
    with pytest.raises(GatewayError, match="always logged"):
        await log(context, pb.LogSettingsRequest(settings={"log_error": no}).SerializeToString())
    with pytest.raises(GatewayError, match="must be true or false"):
        await log(
            context,
            pb.LogSettingsRequest(
                settings={"log_info": pb.LogSettingsRequest.SettingValue()}
            ).SerializeToString(),
        )
