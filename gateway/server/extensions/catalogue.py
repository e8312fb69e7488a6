"""What clients may ask about models, as plain documents that HTTP and gRPC both send.

Field names are those of the V2 protocol. Everything comes from the route table and what is loaded.
"""

import importlib.metadata
from typing import Any

from gateway.core.routing import ModelRoute, VersionEntry
from gateway.core.signature import TensorSpec
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import Routes
from gateway.protocols.fields import model_name, version_named

PLATFORM = "onnxruntime_onnx"
ROWS = 64
"""Rows that load tools may send to a batched model at once. More are taken too: only bodies are capped."""
RELEASE = importlib.metadata.version("headrace")
SERVER = {
    "name": "headrace",
    "version": RELEASE,
    "extensions": [
        "binary_tensor_data",
        "classification",
        "logging",
        "model_configuration",
        "model_repository",
        "parameters",
        "statistics",
        "trace",
    ],
}


def find(routes: Routes, name: str, version: str) -> tuple[ModelRoute, VersionEntry]:
    """A model and the version named by number or alias, else its champion, else its newest.

    Raises GatewayError NOT_FOUND or INVALID.
    """
    table = routes.table
    route = table.models.get(model_name(name))
    if route is None:
        raise table.unknown(name)
    number = version_named(version)
    if isinstance(number, str):
        number = route.called(number)
    if number is None:
        number = route.champion or max((entry.version for entry in route.versions), default=0)
        if not number:
            raise GatewayError(ErrorCode.NOT_FOUND, f"model {name!r} has no version to show")
    return route, route.entry_of(number)


def ready(routes: Routes, name: str, version: str) -> bool:
    """Whether a request for it would be answered, be it after a load; an unknown model is not ready."""
    try:
        route, entry = find(routes, name, version)
    except GatewayError as error:
        if error.code is ErrorCode.NOT_FOUND:
            return False
        raise
    return (route.name, entry.version) not in routes.failed and (bool(version) or route.champion != 0)


def metadata(routes: Routes, name: str, version: str) -> dict[str, Any]:
    """A version's tensors, and the versions that its model has. Raises as `find`."""
    route, entry = find(routes, name, version)
    versions = [str(held.version) for held in route.versions]
    tensors = entry.signature.as_json()
    return {"name": route.name, "versions": versions, "platform": PLATFORM, **tensors}


def v1_status(routes: Routes, name: str, version: str) -> dict[str, Any]:
    """A model's state as KServe V1 and TensorFlow Serving tell it, of one version or all."""
    route, entry = find(routes, name, version)
    told = []
    for held in (entry,) if version else route.versions:
        reason = routes.failed.get((route.name, held.version), "")
        state = "UNAVAILABLE" if reason else "AVAILABLE"
        status = {"error_code": "UNKNOWN" if reason else "OK", "error_message": reason}
        told.append({"version": str(held.version), "state": state, "status": status})
    return {"name": route.name, "ready": ready(routes, name, version), "model_version_status": told}


def config(routes: Routes, name: str, version: str) -> dict[str, Any]:
    """The model's configuration as load tools read it: of a batched model, `dims` leave out the rows.

    The parameter `batching` says what sharing runs does to an answer (see `core.batching.Batching`), `device`
    where runs take place.
    """
    route, entry = find(routes, name, version)
    batched = entry.signature.batched
    return {
        "name": route.name,
        "platform": PLATFORM,
        "backend": "onnxruntime",
        "max_batch_size": ROWS if batched else 0,
        "input": [_configured(spec, batched) for spec in entry.signature.inputs],
        "output": [_configured(spec, batched) for spec in entry.signature.outputs],
        "model_transaction_policy": {"decoupled": False},
        "parameters": _parameters(routes, route.name, entry.version),
    }


def _parameters(routes: Routes, model: str, version: int) -> dict[str, dict[str, str]]:
    held = routes.loaded(model, version)  # otherwise it is not known
    if held is None:
        return {}
    return {"batching": {"string_value": held.batching}, "device": {"string_value": held.device}}


def _configured(spec: TensorSpec, batched: bool) -> dict[str, Any]:
    kind = "STRING" if spec.datatype == "BYTES" else spec.datatype
    return {"name": spec.name, "data_type": f"TYPE_{kind}", "dims": list(spec.shape[batched:])}


def index(routes: Routes, only_ready: bool) -> list[dict[str, str]]:
    """Every version that is served, with its state, and every model that has none, by name.

    A version that loads by demand is ready.
    """
    told, failed = [], routes.failed
    for name, route in sorted(routes.table.models.items()):
        rows = [(str(held.version), failed.get((name, held.version), "")) for held in route.versions]
        for version, reason in rows or [("", "no version of it is served")]:
            if not reason or not only_ready:
                state = "UNAVAILABLE" if reason else "READY"
                told.append({"name": name, "version": version, "state": state, "reason": reason})
    return told
