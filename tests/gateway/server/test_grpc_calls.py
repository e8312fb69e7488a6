from typing import Any

import orjson
import pytest
from google.protobuf.json_format import ParseDict

from gateway.errors import GatewayError
from gateway.protocols import open_inference_pb2 as pb
from gateway.server.grpc_calls import Calls
from gateway.server.message import Request
from gateway.server.routes import Context, parse, respond
from gateway.server.tally import Count, Tally


def test_every_unary_method_that_only_reads_is_answered(engine: Any) -> None:
    methods = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods_by_name
    table = Calls(engine.routes, Tally(), lambda: True).table
    elsewhere = {"ModelInfer", "ModelStreamInfer", "RepositoryModelLoad", "RepositoryModelUnload"}
    assert set(methods) - set(table) == elsewhere


@pytest.mark.parametrize("ready", [True, False])
def test_ready_follows_the_server(ready: bool, engine: Any) -> None:
    answer = Calls(engine.routes, Tally(), lambda: ready).table["ServerReady"](b"")
    assert answer == pb.ServerReadyResponse(ready=ready)


def test_whole_documents_are_the_same_over_http_and_grpc(engine: Any) -> None:
    tally = Tally()
    tally.counts["pair", 1] = Count(requests=3, rows=7, busy_ns=900, failed=1, failed_ns=20, last=1.5)
    calls = Calls(engine.routes, tally, lambda: True).table
    context = Context(engine.routes, tally, lambda: b"", True)
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
        document = orjson.loads(respond(context, request, parse(path.encode())).partition(b"\r\n\r\n")[2])
        expected = ParseDict({wrapped: document} if wrapped else document, kind())
        assert calls[method](asked.SerializeToString()) == expected
        assert expected.ByteSize() > 0


def test_tracing_is_off(engine: Any) -> None:
    trace = Calls(engine.routes, Tally(), lambda: True).table["TraceSetting"]
    told = trace(b"")
    assert isinstance(told, pb.TraceSettingResponse)
    assert told.settings["trace_level"].value == ["OFF"]
    with pytest.raises(GatewayError, match="no model"):
        trace(pb.TraceSettingRequest(model_name="nobody").SerializeToString())


def test_the_log_level_is_told_and_wrong_settings_are_refused(engine: Any) -> None:
    log = Calls(engine.routes, Tally(), lambda: True).table["LogSettings"]
    told = log(b"")
    assert isinstance(told, pb.LogSettingsResponse)
    assert told.settings["log_error"].bool_param
    no = pb.LogSettingsRequest.SettingValue(bool_param=False)
    with pytest.raises(GatewayError, match="always logged"):
        log(pb.LogSettingsRequest(settings={"log_error": no}).SerializeToString())
    with pytest.raises(GatewayError, match="must be true or false"):
        log(
            pb.LogSettingsRequest(
                settings={"log_info": pb.LogSettingsRequest.SettingValue()}
            ).SerializeToString()
        )
