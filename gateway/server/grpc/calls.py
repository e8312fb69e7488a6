"""Every unary V2 call but inference: a table from a method to what answers its serialised requests."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError, Message

from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.fields import invalid
from gateway.server.context import Context
from gateway.server.extensions import catalogue, control, log_settings, trace_settings
from gateway.server.extensions.statistics import statistics
from gateway.server.gate import rules

M = TypeVar("M", bound=Message)
_FIELDS: dict[type, str] = {bool: "bool_param", int: "uint32_param", str: "string_param"}
SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name


async def _server_live(context: Context, data: bytes) -> Message:
    _read(pb.ServerLiveRequest, data)
    return pb.ServerLiveResponse(live=True)


async def _server_ready(context: Context, data: bytes) -> Message:
    _read(pb.ServerReadyRequest, data)
    return pb.ServerReadyResponse(ready=context.ready)


async def _model_ready(context: Context, data: bytes) -> Message:
    asked = _read(pb.ModelReadyRequest, data)
    return pb.ModelReadyResponse(ready=catalogue.ready(context.routes, asked.name, asked.version))


async def _server_metadata(context: Context, data: bytes) -> Message:
    _read(pb.ServerMetadataRequest, data)
    return _written(catalogue.SERVER, pb.ServerMetadataResponse())


async def _model_metadata(context: Context, data: bytes) -> Message:
    asked = _read(pb.ModelMetadataRequest, data)
    document = catalogue.metadata(context.routes, asked.name, asked.version)
    return _written(document, pb.ModelMetadataResponse())


async def _model_config(context: Context, data: bytes) -> Message:
    asked = _read(pb.ModelConfigRequest, data)
    document = catalogue.config(context.routes, asked.name, asked.version)
    return _written({"config": document}, pb.ModelConfigResponse())


async def _model_statistics(context: Context, data: bytes) -> Message:
    asked = _read(pb.ModelStatisticsRequest, data)
    document = await statistics(context, asked.name, asked.version)
    return _written(document, pb.ModelStatisticsResponse())


async def _repository_index(context: Context, data: bytes) -> Message:
    asked = _read(pb.RepositoryIndexRequest, data)
    return _written({"models": catalogue.index(context.routes, asked.ready)}, pb.RepositoryIndexResponse())


async def _trace_setting(context: Context, data: bytes) -> Message:
    asked = _read(pb.TraceSettingRequest, data)
    if asked.model_name:
        catalogue.find(context.routes, asked.model_name, "")
    told = trace_settings.told(context.traces, asked.model_name)
    if asked.settings:
        rules(context.caller)
        wanted = {name: list(setting.value) for name, setting in asked.settings.items()}
        told = trace_settings.change(context.traces, asked.model_name, wanted)
    document = {"settings": {name: {"value": value} for name, value in told.items()}}
    return _written(document, pb.TraceSettingResponse())


async def _log_settings(context: Context, data: bytes) -> Message:
    asked = _read(pb.LogSettingsRequest, data).settings
    told = log_settings.told(context.log_level)
    if asked:
        rules(context.caller)
        told = log_settings.change(context.log_level, _chosen(asked))
    answer = pb.LogSettingsResponse()
    for name, value in told.items():
        setattr(answer.settings[name], _FIELDS[type(value)], value)
    return answer


async def _load(context: Context, data: bytes) -> Message:
    asked = _read(pb.RepositoryModelLoadRequest, data)
    await control.change(context, "load", asked.model_name, _chosen(asked.parameters))
    return pb.RepositoryModelLoadResponse()


async def _unload(context: Context, data: bytes) -> Message:
    asked = _read(pb.RepositoryModelUnloadRequest, data)
    await control.change(context, "unload", asked.model_name, _chosen(asked.parameters))
    return pb.RepositoryModelUnloadResponse()


def _read(kind: type[M], data: bytes) -> M:
    try:
        return kind.FromString(data)
    except DecodeError:
        raise invalid(f"the message is not a {kind.DESCRIPTOR.name}") from None


def _chosen(
    values: Mapping[str, pb.LogSettingsRequest.SettingValue] | Mapping[str, pb.ModelRepositoryParameter],
) -> dict[str, object]:
    """The values that were given; None for one that is empty."""
    fields = {name: value.WhichOneof("parameter_choice") for name, value in values.items()}
    return {name: field and getattr(values[name], field) for name, field in fields.items()}


def _written(document: dict[str, Any], message: M) -> M:
    return ParseDict(document, message)


CALLS: dict[str, Callable[[Context, bytes], Awaitable[Message]]] = {
    "ServerLive": _server_live,
    "ServerReady": _server_ready,
    "ModelReady": _model_ready,
    "ServerMetadata": _server_metadata,
    "ModelMetadata": _model_metadata,
    "ModelConfig": _model_config,
    "ModelStatistics": _model_statistics,
    "RepositoryIndex": _repository_index,
    "RepositoryModelLoad": _load,
    "RepositoryModelUnload": _unload,
    "TraceSetting": _trace_setting,
    "LogSettings": _log_settings,
}
"""They raise GatewayError."""
