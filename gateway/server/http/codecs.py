"""The ways to write bodies of inference over HTTP, each for some URLs: V2, and plain JSON or CSV."""

from typing import Protocol

from gateway.core.routing import choose
from gateway.core.signature import Signature
from gateway.core.types import InferRequest, InferResponse
from gateway.ports import Routes
from gateway.protocols import mlflow_csv, mlflow_json, v1_json, v2_answer, v2_binary, v2_json
from gateway.protocols.answer_form import AnswerForm
from gateway.protocols.json_layouts import KnownBodies
from gateway.protocols.plain_values import Asked
from gateway.server.http.inference import BINARY_TYPE, Target
from gateway.server.http.message import JSON_TYPE, Request

CSV_TYPE = b"text/csv"
JSON_LENGTH = b"inference-header-content-length"
# What clients say of any body says nothing: curl and forms the one, JavaScript's fetch the other.
_TYPES = frozenset((b"", JSON_TYPE, BINARY_TYPE, b"application/x-www-form-urlencoded", b"text/plain"))


class V2:
    """JSON and binary tensors of the Open Inference Protocol. Remembers the words of bodies."""

    types = _TYPES
    encode = staticmethod(v2_answer.encode)

    def __init__(self) -> None:
        self._known = KnownBodies()

    def decode(
        self, routes: Routes, request: Request, target: Target, body: bytes
    ) -> tuple[InferRequest, AnswerForm]:
        key = request.routing_key()
        if JSON_LENGTH not in request.headers:
            return v2_json.decode(body, *target, key, known=self._known)
        length = v2_binary.json_length(request.header(JSON_LENGTH), len(body))
        if length:
            return v2_json.decode(body, *target, key, length)
        return v2_binary.decode_raw(body, _signature(routes, target), *target, key)


class PlainBodies(Protocol):
    """A module of `gateway.protocols` whose bodies name no types: those are the model's."""

    def decode(
        self, body: bytes, signature: Signature, model: str, version: int | str | None, key: str = ""
    ) -> Asked: ...

    def encode(self, response: InferResponse, rows: bool) -> bytes: ...


class Plain:
    """Answers are JSON; what they know of their request is whether rows were sent."""

    def __init__(self, bodies: PlainBodies, types: frozenset[bytes] = _TYPES) -> None:
        self.types = types
        self._bodies = bodies

    def decode(
        self, routes: Routes, request: Request, target: Target, body: bytes
    ) -> tuple[InferRequest, bool]:
        asked = self._bodies.decode(body, _signature(routes, target), *target, request.routing_key())
        return asked.request, asked.rows

    def encode(self, response: InferResponse, rows: bool) -> tuple[bytes, int | None]:
        return self._bodies.encode(response, rows), None


V1 = Plain(v1_json)
_MLFLOW = Plain(mlflow_json)
_MLFLOW_CSV = Plain(mlflow_csv, frozenset((CSV_TYPE,)))


def invoked(request: Request) -> Plain:
    """What knows the body of an invocation."""
    kind = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return _MLFLOW_CSV if kind == CSV_TYPE else _MLFLOW


def _signature(routes: Routes, target: Target) -> Signature:
    """That of the version that is asked for, else the champion's. Raises as `routing.choose`."""
    route = routes.table.models.get(target.model)
    if route is None:
        raise routes.table.unknown(target.model)
    pinned = (route.champion or None) if target.version is None else target.version
    return route.entry_of(choose(route, pinned, "", 0.0).version).signature
