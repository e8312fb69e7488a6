"""The V2 calls that only read: from a serialised request to the answer's message. The law of grpc_server."""

from collections.abc import Callable
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError, Message

from gateway.core.keys import Key
from gateway.ports import Routes
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.fields import invalid
from gateway.server import catalogue, settings, trace_settings
from gateway.server.gate import rules
from gateway.server.statistics import statistics
from gateway.server.tally import Tally
from gateway.telemetry.trace_sampling import TraceSampling

M = TypeVar("M", bound=Message)
_FIELDS: dict[type, str] = {bool: "bool_param", int: "uint32_param", str: "string_param"}
SERVICE = pb.DESCRIPTOR.services_by_name["GRPCInferenceService"].full_name


class Calls:
    """Answers by method name.

    Args:
        ready: says whether new work is taken.
        traces: None where tracing is not configured.
        caller: None without identity.
    """

    def __init__(
        self,
        routes: Routes,
        tally: Tally,
        ready: Callable[[], bool],
        traces: TraceSampling | None = None,
        caller: Key | None = None,
    ) -> None:
        self._routes = routes
        self._tally = tally
        self._ready = ready
        self._traces = traces
        self._caller = caller

    @property
    def table(self) -> dict[str, Callable[[bytes], Message]]:
        """Every unary method that only reads or sets. They raise GatewayError."""
        return {
            "ServerLive": self._server_live,
            "ServerReady": self._server_ready,
            "ModelReady": self._model_ready,
            "ServerMetadata": self._server_metadata,
            "ModelMetadata": self._model_metadata,
            "ModelConfig": self._model_config,
            "ModelStatistics": self._model_statistics,
            "RepositoryIndex": self._repository_index,
            "TraceSetting": self._trace_setting,
            "LogSettings": self._log_settings,
        }

    def _server_live(self, data: bytes) -> Message:
        read(pb.ServerLiveRequest, data)
        return pb.ServerLiveResponse(live=True)

    def _server_ready(self, data: bytes) -> Message:
        read(pb.ServerReadyRequest, data)
        return pb.ServerReadyResponse(ready=self._ready())

    def _model_ready(self, data: bytes) -> Message:
        asked = read(pb.ModelReadyRequest, data)
        return pb.ModelReadyResponse(ready=catalogue.ready(self._routes, asked.name, asked.version))

    def _server_metadata(self, data: bytes) -> Message:
        read(pb.ServerMetadataRequest, data)
        return _written(catalogue.SERVER, pb.ServerMetadataResponse())

    def _model_metadata(self, data: bytes) -> Message:
        asked = read(pb.ModelMetadataRequest, data)
        document = catalogue.metadata(self._routes, asked.name, asked.version)
        return _written(document, pb.ModelMetadataResponse())

    def _model_config(self, data: bytes) -> Message:
        asked = read(pb.ModelConfigRequest, data)
        document = catalogue.config(self._routes, asked.name, asked.version)
        return _written({"config": document}, pb.ModelConfigResponse())

    def _model_statistics(self, data: bytes) -> Message:
        asked = read(pb.ModelStatisticsRequest, data)
        document = statistics(self._routes, self._tally, asked.name, asked.version)
        return _written(document, pb.ModelStatisticsResponse())

    def _repository_index(self, data: bytes) -> Message:
        asked = read(pb.RepositoryIndexRequest, data)
        return _written({"models": catalogue.index(self._routes, asked.ready)}, pb.RepositoryIndexResponse())

    def _trace_setting(self, data: bytes) -> Message:
        asked = read(pb.TraceSettingRequest, data)
        if asked.model_name:
            catalogue.find(self._routes, asked.model_name, "")
        told = trace_settings.told(self._traces, asked.model_name)
        if asked.settings:
            self._rules()
            wanted = {name: list(setting.value) for name, setting in asked.settings.items()}
            told = trace_settings.change(self._traces, asked.model_name, wanted)
        document = {"settings": {name: {"value": value} for name, value in told.items()}}
        return _written(document, pb.TraceSettingResponse())

    def _log_settings(self, data: bytes) -> Message:
        asked = read(pb.LogSettingsRequest, data).settings
        told = settings.log_settings()
        if asked:
            self._rules()
            told = settings.set_log({name: chosen(value) for name, value in asked.items()})
        answer = pb.LogSettingsResponse()
        for name, value in told.items():
            setattr(answer.settings[name], _FIELDS[type(value)], value)
        return answer

    def _rules(self) -> None:
        if self._caller is not None:
            rules(self._caller)


def read(kind: type[M], data: bytes) -> M:
    try:
        return kind.FromString(data)
    except DecodeError:
        raise invalid(f"the message is not a {kind.DESCRIPTOR.name}") from None


def chosen(value: pb.LogSettingsRequest.SettingValue | pb.ModelRepositoryParameter) -> object:
    """The value that was given; None without one."""
    field = value.WhichOneof("parameter_choice")
    return None if field is None else getattr(value, field)


def _written(document: dict[str, Any], message: M) -> M:
    return ParseDict(document, message)
