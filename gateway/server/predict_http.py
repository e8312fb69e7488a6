"""Predictions in plain JSON, as KServe V1 or MLflow write it, on the same way through the pipeline as V2."""

import logging
import time
from typing import Protocol

from gateway.core.signature import Signature
from gateway.core.types import InferResponse
from gateway.errors import GatewayError
from gateway.ports import Engine
from gateway.protocols import mlflow_csv, mlflow_json, v1_json
from gateway.protocols.fields import earliest
from gateway.protocols.plain_values import Asked
from gateway.server.catalogue import find
from gateway.server.gate import Gate
from gateway.server.infer_http import Target, inflated, named, plain_body, time_allowed
from gateway.server.message import JSON_TYPE, Request, answer, fault, internal
from gateway.server.tally import Tally

CSV_TYPE = b"text/csv"
_log = logging.getLogger(__name__)


class Codec(Protocol):
    """A module of `gateway.protocols` that knows one way to write bodies."""

    def decode(
        self,
        body: bytes,
        signature: Signature,
        model: str,
        version: int | str | None,
        key: str = "",
    ) -> Asked: ...

    def encode(self, response: InferResponse, rows: bool) -> bytes: ...


V1: Codec = v1_json


def invoked(request: Request) -> Codec:
    """What knows the body of an invocation."""
    kind = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return mlflow_csv if kind == CSV_TYPE else mlflow_json


async def predict(
    engine: Engine,
    tally: Tally,
    request: Request,
    target: Target,
    codec: Codec,
    cap: int,
    gate: Gate | None = None,
) -> bytes:
    """The answer, a fault's too. Does not suspend unless the engine does."""
    started = time.monotonic_ns()
    try:
        if gate is not None:
            gate.infers(gate.caller(*request.credentials()), target.model)
        engine.check_room(target.model)
        version = "" if target.version is None else str(target.version)
        _, entry = find(engine.routes, target.model, version)
        # Chosen for its type, the codec of CSV need not look at it again.
        body = inflated(request, cap) if codec is mlflow_csv else plain_body(request, cap)
        asked, rows = codec.decode(body, entry.signature, *target, request.routing_key())
        asked.deadline_ns = earliest(asked.deadline_ns, time_allowed(request, started))
        response = await engine.infer(asked)
        told = codec.encode(response, rows)
    except GatewayError as error:
        tally.fail(target.model, error, started, request.headers, "")
        return fault(request, error)
    except Exception:
        _log.exception("a prediction failed")
        return fault(request, internal())
    tally.add(asked, response, started, request.headers)
    return answer(request, 200, JSON_TYPE, told, named(response))
