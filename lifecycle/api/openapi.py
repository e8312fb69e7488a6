"""What FastAPI cannot know of the admin API, added to its OpenAPI document: errors, examples, who may."""

from typing import Any

from fastapi import FastAPI

from lifecycle.api.status import HTTP_STATUS
from lifecycle.core.governance.access import need
from lifecycle.errors import LifecycleCode

Document = dict[str, Any]

MESSAGES = {
    LifecycleCode.INVALID: "the weights sum to 90; they must sum to 100",
    LifecycleCode.NOT_FOUND: "there is no model 'fraud'",
    LifecycleCode.CONFLICT: "version 2 is in a rollout; promote it or abort it first",
    LifecycleCode.STALE: "model 'fraud' is at revision 8, not 7; look again",
    LifecycleCode.REFUSED: "version 2 did not pass finite_outputs: 3 of 200 answers are NaN",
    LifecycleCode.UNSUPPORTED: "this is a pickle; give an ONNX file",
    LifecycleCode.UNAUTHENTICATED: "a key is needed: send `authorization: Bearer KEY`",
    LifecycleCode.FORBIDDEN: "the key 'shop' has the role inference; this takes the role deployer",
    LifecycleCode.THROTTLED: "too many bad keys from this address; try again in a minute",
    LifecycleCode.UNAVAILABLE: "not every worker loaded version 2 in time; traffic stays as it was",
    LifecycleCode.INTERNAL: "the controller failed; its log says why",
}
"""An example of each error."""

BODIES: dict[str, Document] = {
    "TrafficIn": {"weights": {"1": 90, "2": 10}, "shadows": [3]},
    "LimitsIn": {"max_concurrency": 8, "max_queue": 32},
    "MemoryIn": {"resident": True},
    "CacheIn": {"max_mb": 64},
    "PlacementIn": {"placement": "pool"},
    "ValidateIn": {"allow_signature_change": False},
    "RolloutIn": {"version": 2, "plan": "cautious"},
    "ApprovalIn": {"comment": "checked with the fraud team"},
    "DescriptionIn": {"owner": "ann", "intended_use": "card payments", "tags": {"team": "fraud"}},
    "AliasIn": {"version": 2},
    "DeployIn": {"plan": "quick"},
    "ReasonIn": {"reason": "a new season"},
    "KeyIn": {"name": "shop", "role": "inference", "models": ["eu-*"], "expires_s": 2592000},
}
"""An example of each JSON body, by the name of its schema."""

LABELS: Document = {
    "model": "fraud",
    "labels": [{"prediction_id": "w0-17-1", "label": 1}],
    "metrics": [{"prediction_id": "w0-17-1", "name": "revenue", "value": 12.5}],
}

_ALWAYS = (LifecycleCode.INVALID, LifecycleCode.UNAVAILABLE, LifecycleCode.INTERNAL)
_KEYED = (LifecycleCode.UNAUTHENTICATED, LifecycleCode.FORBIDDEN, LifecycleCode.THROTTLED)
_CHANGING = (LifecycleCode.CONFLICT, LifecycleCode.STALE, LifecycleCode.REFUSED)


class DescribedApi(FastAPI):
    """An application whose document tells the whole of it."""

    def openapi(self) -> Document:
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def completed(document: Document) -> Document:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):  # a malformed request is answered as any other
        schemas.pop(unused, None)
    codes = [code.value for code in LifecycleCode]
    error = {"code": {"type": "string", "enum": codes}, "message": {"type": "string"}}
    inner = {"type": "object", "properties": error, "required": ["code", "message"]}
    schemas["Error"] = {"type": "object", "properties": {"error": inner}, "required": ["error"]}
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    }
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            _complete(path, verb.upper(), operation)
    return document


def _complete(path: str, verb: str, operation: Document) -> None:
    wanted, changes = need(verb, path), verb != "GET"
    operation["responses"].pop("422", None)
    for code in errors(path, verb):
        example = {"error": {"code": code.value, "message": MESSAGES[code]}}
        operation["responses"].setdefault(
            str(int(HTTP_STATUS[code])),
            {"description": MESSAGES[code], "content": {"application/json": _content("Error", example)}},
        )
    if wanted.role is not None:
        operation["security"] = [{"bearer": []}, {"header": []}]
        operation["x-role"] = str(wanted.role)
    if changes:
        operation.setdefault("parameters", []).append(
            {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string"}}
        )
    if path == "/v1/feedback":
        operation["requestBody"] = {"required": True, "content": _labels()}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None and "example" not in body:
        body["example"] = BODIES.get(_schema_of(body["schema"]))


def errors(path: str, verb: str) -> tuple[LifecycleCode, ...]:
    """How a request can fail."""
    found = list(_ALWAYS)
    if need(verb, path).role is not None:
        found += _KEYED
    if "{" in path or path == "/v1/feedback":
        found.append(LifecycleCode.NOT_FOUND)
    if verb != "GET":
        found += _CHANGING
    if path.endswith("/versions") and verb == "POST":
        found.append(LifecycleCode.UNSUPPORTED)
    return tuple(found)


def _labels() -> Document:
    file = {"schema": {"type": "string", "format": "binary"}}
    csv = {"schema": {"type": "string"}, "example": "prediction_id,label,feedback.revenue\nw0-17-1,1,12.5\n"}
    json = {"schema": {"type": "object"}, "example": LABELS}
    return {"application/json": json, "text/csv": csv, "application/vnd.apache.parquet": file}


def _content(schema: str, example: Document) -> Document:
    return {"schema": {"$ref": f"#/components/schemas/{schema}"}, "example": example}


def _schema_of(schema: Document) -> str:
    """The name in a reference, or in the one that may also be null."""
    choices = [schema, *schema.get("anyOf", ())]
    return next(str(choice["$ref"]).rsplit("/", 1)[1] for choice in choices if "$ref" in choice)
