"""The admin service over gRPC, `protos/lifecycle.proto`: each call is a request to the admin API in process.

So identity, idempotency keys, checks and errors are those of HTTP. Must never decide anything by itself.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn, cast
from urllib.parse import quote

import grpc
import grpc.aio
import httpx
from fastapi import FastAPI
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import DecodeError, Message
from grpc_reflection.v1alpha import reflection

from gateway.core.keys import SUBJECT
from gateway.server.grpc.one_message import Call, streaming, unary
from lifecycle.api import lifecycle_pb2 as pb
from lifecycle.api.status import GRPC_STATUS
from lifecycle.errors import LifecycleCode, LifecycleError

SERVICE = "headrace.lifecycle.v1.Lifecycle"
POLL_S = 0.25
PAGE = 500
_FORWARDED = (
    "authorization",
    "x-api-key",
    "x-headrace-actor",
    "x-headrace-override",
    "idempotency-key",
    SUBJECT,
)
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Row:
    """One call: the request that it makes and its messages. Fields that the path takes are not said again."""

    verb: str
    path: str
    takes: type[Message]
    gives: type[Message]


_MODEL = "/v1/models/{model}"
_VERSION = _MODEL + "/versions/{number}"
_CURRENT = _MODEL + "/rollouts/current"

ROWS = {
    "ListModels": Row("GET", "/v1/models", pb.ListModelsRequest, pb.ListModelsResponse),
    "GetModel": Row("GET", _MODEL, pb.ModelRequest, pb.Model),
    "ListVersions": Row("GET", _MODEL + "/versions", pb.ModelRequest, pb.ListVersionsResponse),
    "GetVersion": Row("GET", _VERSION, pb.VersionRequest, pb.Version),
    "ValidateVersion": Row("POST", _VERSION + "/validate", pb.ValidateRequest, pb.Version),
    "ApproveVersion": Row("POST", _VERSION + "/approve", pb.ApprovalRequest, pb.Version),
    "RejectVersion": Row("POST", _VERSION + "/reject", pb.VersionChangeRequest, pb.Version),
    "RetireVersion": Row("POST", _VERSION + "/retire", pb.VersionChangeRequest, pb.Version),
    "DeployVersion": Row("POST", _VERSION + "/deploy", pb.DeployRequest, pb.Deployment),
    "GetTraffic": Row("GET", _MODEL + "/traffic", pb.ModelRequest, pb.Traffic),
    "SetTraffic": Row("PUT", _MODEL + "/traffic", pb.SetTrafficRequest, pb.TrafficChange),
    "Rollback": Row("POST", _MODEL + "/rollback", pb.ChangeRequest, pb.TrafficChange),
    "ListRollouts": Row("GET", _MODEL + "/rollouts", pb.ModelRequest, pb.ListRolloutsResponse),
    "GetRollout": Row("GET", _CURRENT, pb.ModelRequest, pb.Rollout),
    "StartRollout": Row("POST", _MODEL + "/rollouts", pb.StartRolloutRequest, pb.Rollout),
    "ForecastRollout": Row("POST", _MODEL + "/rollouts/forecast", pb.StartRolloutRequest, pb.Forecast),
    "PauseRollout": Row("POST", _CURRENT + "/pause", pb.ChangeRequest, pb.Rollout),
    "ResumeRollout": Row("POST", _CURRENT + "/resume", pb.ChangeRequest, pb.Rollout),
    "PromoteRollout": Row("POST", _CURRENT + "/promote", pb.ChangeRequest, pb.Rollout),
    "AbortRollout": Row("POST", _CURRENT + "/abort", pb.ChangeRequest, pb.Rollout),
    "ListRecords": Row("GET", "/v1/audit", pb.ListRecordsRequest, pb.ListRecordsResponse),
}


class AdminRpc:
    """Serves the admin API `app` over gRPC. Runs in the app's event loop."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._server: grpc.aio.Server | None = None

    async def start(self, address: str) -> int:
        """Listen on `host:port` or `unix:path`. Returns the port, chosen if it was 0."""
        server = self._server = grpc.aio.server()
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            name: unary(self._unary(row)) for name, row in ROWS.items()
        }
        handlers["Watch"] = streaming(self._watch)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), server)
        port = server.add_insecure_port(address)
        await server.start()
        return port

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop(0.5)

    def _unary(self, row: Row) -> Callable[[bytes, Call], Awaitable[bytes]]:
        async def answer(data: bytes, context: Call) -> bytes:
            return (
                await self._made(row, await _parsed(row.takes, data, context), context)
            ).SerializeToString()

        return answer

    async def _watch(self, data: bytes, context: Call) -> AsyncIterator[bytes]:
        """Asks for records again and again, so a key that is revoked meanwhile ends the stream."""
        wanted = await _parsed(pb.WatchRequest, data, context)
        after, model = wanted.after, wanted.model
        if not wanted.HasField("after"):
            newest = await self._records(pb.ListRecordsRequest(model=model, limit=1), context)
            after = newest[-1].seq if newest else 0
        while True:
            request = pb.ListRecordsRequest(model=model, after=after, limit=PAGE)
            found = await self._records(request, context)
            if found:
                # Asked once more: what is written once a key is revoked must never reach who holds it.
                await self._records(pb.ListRecordsRequest(model=model, limit=1), context)
            for record in found:
                after = record.seq
                yield record.SerializeToString()
            await asyncio.sleep(POLL_S)

    async def _records(self, request: pb.ListRecordsRequest, context: Call) -> list[pb.Record]:
        found = cast(pb.ListRecordsResponse, await self._made(ROWS["ListRecords"], request, context))
        return list(found.records)

    async def _made(self, row: Row, request: Message, context: Call) -> Message:
        try:
            answer = await self._ask(row, request, context)
        except LifecycleError as error:
            await context.abort(GRPC_STATUS[error.code], error.message, (("headrace-code", error.code),))
        if answer.is_error:
            await _refuse(answer, context)
        return ParseDict(_without_nulls(answer.json()), row.gives(), ignore_unknown_fields=True)

    async def _ask(self, row: Row, request: Message, context: Call) -> httpx.Response:
        said = MessageToDict(request, preserving_proto_field_name=True)
        path = _FIELD.sub(lambda field: _segment(field[1], said.pop(field[1], "")), row.path)
        metadata = {str(name): str(value) for name, value in context.invocation_metadata() or ()}
        headers = {name: metadata[name] for name in _FORWARDED if name in metadata}
        if (revision := said.pop("if_revision", None)) is not None:
            headers["if-match"] = f'"{revision}"'
        # Behind the edge only it knows the caller's address, by which bad keys are counted.
        caller = metadata.get("x-forwarded-for", context.peer())
        reads = row.verb == "GET"
        asked = self._request(
            row.verb, path, headers, said if reads else None, None if reads else said, caller
        )
        # As over HTTP, a caller that goes away ends no command half done.
        return await asyncio.shield(asked)

    async def _request(
        self, verb: str, path: str, headers: dict[str, str], query: Any, body: Any, caller: str
    ) -> httpx.Response:
        # What breaks inside is answered as over HTTP, and never told to the caller.
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=(caller, 0))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=None) as http:
            return await http.request(verb, path, headers=headers, params=query, json=body)


def _segment(name: str, value: object) -> str:
    """A field of a request as one segment of a path. Raises LifecycleError INVALID for what could be none."""
    text = str(value)
    if text in ("", ".", "..") or "/" in text:
        raise LifecycleError(LifecycleCode.INVALID, f"{name}: {text!r} names nothing; give one")
    return quote(text, safe="")


async def _parsed(kind: type[Message], data: bytes, context: Call) -> Any:
    try:
        return kind.FromString(data)
    except DecodeError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"this is no {kind.DESCRIPTOR.name}")


async def _refuse(answer: httpx.Response, context: Call) -> NoReturn:
    error = answer.json()["error"]
    status = GRPC_STATUS[LifecycleCode(error["code"])]
    await context.abort(status, error["message"], (("headrace-code", error["code"]),))


def _without_nulls(value: Any) -> Any:
    """JSON's null is protobuf's absence."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value
