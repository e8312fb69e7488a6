"""KServe's V1 protocol, which is the REST interface of TensorFlow Serving too: plain JSON values, no types.

`instances` is a list of rows: values, or objects by input name where there are several. `inputs` holds whole
tensors instead. The answer comes in the same form, as `predictions` or `outputs`. NaN and infinity are null.
"""

from typing import Any, NamedTuple

import orjson

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array, InferRequest, InferResponse
from gateway.protocols.fields import check_parameters, deadline_after, invalid, plain_text, quoted
from gateway.protocols.json_data import from_json, to_json
from gateway.protocols.tensors import datatype_of, objects

_MAX_RANK = 32
_KNOWN = frozenset(("instances", "inputs", "parameters", "signature_name"))


class Asked(NamedTuple):
    """`rows`: whether the answer is to be a list of rows."""

    request: InferRequest
    rows: bool


def decode(
    body: bytes | bytearray, signature: Signature, model: str, version: int | str | None, key: str = ""
) -> Asked:
    """A request from a decompressed body; names and types are the model's. INVALID for every fault."""
    document = _parse(body)
    if unknown := document.keys() - _KNOWN:
        raise invalid(f"{quoted(min(unknown))} is not known; send 'instances', or 'inputs', and 'parameters'")
    parameters = document.get("parameters") or {}
    if type(parameters) is not dict:
        raise invalid("'parameters' must be a JSON object")
    check_parameters(parameters)
    key = plain_text("routing_key", parameters.get("routing_key", key))
    rows = "instances" in document
    if rows is ("inputs" in document):
        raise invalid("the body must hold either 'instances' or 'inputs'")
    specs = {spec.name: spec for spec in signature.inputs}
    values = _columns(document["instances"], specs) if rows else _named(document["inputs"], specs)
    if unknown := values.keys() - specs.keys():
        raise invalid(f"unknown input {quoted(min(unknown))}; the model takes {', '.join(map(repr, specs))}")
    inputs = {name: _tensor(specs[name], value) for name, value in values.items()}
    request = InferRequest(model, version, inputs, key=key, deadline_ns=deadline_after(parameters))
    return Asked(request, rows)


def encode(response: InferResponse, rows: bool) -> bytes:
    """The answer. INVALID for an output that JSON, or a list of rows, cannot carry."""
    outputs = {name: _values(name, array) for name, array in response.outputs.items()}
    (first, *others) = outputs.values()
    if not rows:
        return _written({"outputs": outputs if others else first})
    lengths = {array.shape[:1] for array in outputs.values()}
    if len(lengths) > 1 or () in lengths:
        raise invalid("the model does not answer row by row; send 'inputs' in place of 'instances'")
    count = len(first)
    told = [{name: array[i] for name, array in outputs.items()} for i in range(count)] if others else first
    return _written({"predictions": told})


def _parse(body: bytes | bytearray) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(f"the body is not JSON: {error.msg[:100]} at byte {error.pos}") from None
    if type(document) is not dict:
        raise invalid("the body must be a JSON object with 'instances' or 'inputs'")
    return document


def _columns(instances: Any, specs: dict[str, TensorSpec]) -> dict[str, Any]:
    if type(instances) is not list or not instances:
        raise invalid("'instances' must be a list of one row or more")
    if type(instances[0]) is not dict:
        return _named(instances, specs)
    names = instances[0].keys()
    if any(type(row) is not dict or row.keys() != names for row in instances):
        raise invalid("every row of 'instances' must be an object with the same names")
    return {name: [row[name] for row in instances] for name in names}


def _named(value: Any, specs: dict[str, TensorSpec]) -> dict[str, Any]:
    if type(value) is dict:
        return value
    if len(specs) > 1:
        raise invalid(f"the model has several inputs; name them: {', '.join(map(repr, specs))}")
    return dict.fromkeys(specs, value)


def _tensor(spec: TensorSpec, value: Any) -> Array:
    shape: list[int] = []
    level = value
    while type(level) is list and len(shape) <= _MAX_RANK:
        shape.append(len(level))
        level = level[0] if level else None
    if len(shape) > _MAX_RANK:
        raise invalid(f"input {quoted(spec.name)} has more than {_MAX_RANK} dimensions")
    data = value if type(value) is list else [value]
    return from_json(spec.name, spec.datatype, spec.dtype, tuple(shape), data)


def _values(name: str, array: Array) -> Array:
    flat = to_json(name, datatype_of(name, array), array)
    return (objects(flat) if isinstance(flat, list) else flat).reshape(array.shape)


def _written(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, default=_nested, option=orjson.OPT_SERIALIZE_NUMPY)


def _nested(value: Any) -> Any:
    return value.tolist()  # what orjson does not write itself: text, and arrays that are not contiguous
