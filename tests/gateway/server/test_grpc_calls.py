from typing import Any

import pytest

from gateway.protocols import open_inference_pb2 as pb
from gateway.server.grpc_calls import Calls
from gateway.server.tally import Tally


def test_every_unary_method_of_the_service_is_answered(engine: Any) -> None:
    methods = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods_by_name
    table = Calls(engine.routes, Tally(), lambda: True).table
    assert set(methods) - set(table) == {"ModelInfer", "ModelStreamInfer"}


@pytest.mark.parametrize("ready", [True, False])
def test_ready_follows_the_server(ready: bool, engine: Any) -> None:
    answer = Calls(engine.routes, Tally(), lambda: ready).table["ServerReady"](b"")
    assert answer == pb.ServerReadyResponse(ready=ready)


def test_settings_can_be_read(engine: Any) -> None:
    table = Calls(engine.routes, Tally(), lambda: True).table
    assert table["LogSettings"](b"") == pb.LogSettingsResponse()
    assert table["TraceSetting"](b"") == pb.TraceSettingResponse()
