"""JSON values without names of types, as several protocols send them, to and from the tensors of a model."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from gateway.core.signature import TensorSpec
from gateway.core.types import Array, InferRequest, InferResponse
from gateway.core.words import listed, quoted
from gateway.protocols.fields import deadline_after, invalid, plain_text
from gateway.protocols.json_data import from_json, to_json
from gateway.protocols.tensors import datatype_of, objects

_MAX_RANK = 32
Specs = Mapping[str, TensorSpec]


class Asked(NamedTuple):
    """`rows`: whether the answer is to be a list of rows."""

    request: InferRequest
    rows: bool


def columns(instances: Any, specs: Specs) -> dict[str, Any]:
    """Values by input of a list of rows, which are objects by input where there are several."""
    if type(instances) is not list or not instances:
        raise invalid("'instances' must be a list of one row or more")
    if type(instances[0]) is not dict:
        return named(instances, specs)
    names = instances[0].keys()
    if any(type(row) is not dict or row.keys() != names for row in instances):
        raise invalid("every row of 'instances' must be an object with the same names")
    return {name: [row[name] for row in instances] for name in names}


def named(value: Any, specs: Specs) -> dict[str, Any]:
    """Values by input: as they are if they have names, else the model's only input is meant."""
    if type(value) is dict:
        return value
    if len(specs) > 1:
        raise invalid(f"the model has several inputs; name them: {listed(specs)}")
    return dict.fromkeys(specs, value)


def request_of(
    values: Mapping[str, Any],
    specs: Specs,
    parameters: Mapping[str, Any],
    model: str,
    version: int | str | None,
    key: str,
) -> InferRequest:
    """The request for these values by input. INVALID for what does not fit the model, or bad parameters."""
    key = plain_text("routing_key", parameters.get("routing_key", key))
    if unknown := values.keys() - specs.keys():
        raise invalid(f"unknown input {quoted(min(unknown))}; the model takes {listed(specs)}")
    inputs = {name: _tensor(specs[name], value) for name, value in values.items()}
    return InferRequest(model, version, inputs, key=key, deadline_ns=deadline_after(parameters))


def told(response: InferResponse, rows: bool) -> Any:
    """The outputs, as a list of rows or as whole tensors; by name where there are several.

    Raises INVALID for an output that JSON, or a list of rows, cannot carry.
    """
    outputs = {name: _values(name, array) for name, array in response.outputs.items()}
    (first, *others) = outputs.values()
    if not rows:
        return outputs if others else first
    lengths = {array.shape[:1] for array in outputs.values()}
    if len(lengths) > 1 or () in lengths:
        raise invalid("the model does not answer row by row; send 'inputs' in place of rows")
    if not others:
        return first
    return [{name: array[i] for name, array in outputs.items()} for i in range(len(first))]


def written(document: dict[str, Any]) -> bytes:
    """JSON with arrays in it."""
    return orjson.dumps(document, default=_nested, option=orjson.OPT_SERIALIZE_NUMPY)


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


def _nested(value: Any) -> Any:
    return value.tolist()  # what orjson does not write itself: text, and arrays that are not contiguous
