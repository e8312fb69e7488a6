"""The V2 inference body: JSON, with tensors in it or behind it (the binary extension).

Unknown keys are accepted and of a key given twice the last one counts; a tensor named twice is refused.
"""

from typing import Any

import numpy as np

from gateway.core.types import Array, InferRequest
from gateway.core.words import quoted
from gateway.protocols import json_bulk
from gateway.protocols.answer_form import JSON, AnswerForm, OutputForm
from gateway.protocols.fields import (
    check_depth,
    class_count,
    deadline_after,
    invalid,
    json_object,
    parameters_in,
    plain_text,
)
from gateway.protocols.json_data import from_json
from gateway.protocols.json_layouts import KnownBodies
from gateway.protocols.tensors import dtype_of, from_raw, shape_of

_KNOWN = frozenset(("id", "parameters", "inputs", "outputs"))
_PLAIN_TENSOR = frozenset(("name", "shape", "datatype", "data"))
_KNOWN_TENSOR = _PLAIN_TENSOR | {"parameters"}


def decode(
    body: bytes,
    model: str,
    version: int | str | None,
    key: str = "",
    json_length: int | None = None,
    known: KnownBodies | None = None,
) -> tuple[InferRequest, AnswerForm]:
    """A request from a decompressed body.

    Args:
        key: routing key from a header; the parameter `routing_key` wins over it.
        json_length: where the JSON part ends and raw tensors begin; None if it is all JSON.
        known: the words of earlier bodies that were all JSON.

    Raises:
        GatewayError: INVALID for every fault of the caller.
    """
    if known is not None and (tensors := known.match(body)) is not None:
        return InferRequest(model, version, tensors, (), "", key), JSON
    raw = memoryview(body)[json_length:] if json_length is not None else None
    document: dict[str, Any] | None = None
    if json_length is None and len(body) >= json_bulk.FROM_BYTES:
        document = json_bulk.parse(body, _KNOWN, _KNOWN_TENSOR)
    if document is None:
        document = json_object(body if json_length is None else memoryview(body)[:json_length])
    if not document.keys() <= _KNOWN:
        check_depth({k: v for k, v in document.items() if k not in _KNOWN})
    inputs = _inputs(_listed(document, "inputs"), raw)
    if len(document) == 1:  # most requests are nothing but inputs
        if (
            known is not None
            and len(inputs) == 1
            and (entry := document["inputs"][0]).keys() == _PLAIN_TENSOR
        ):
            known.learn(body, entry["name"], entry["datatype"], inputs[entry["name"]])
        return InferRequest(model, version, inputs, (), "", key), JSON
    parameters = parameters_in(document)
    deadline = 0
    if parameters:
        deadline = deadline_after(parameters)
        key = plain_text("routing_key", parameters.get("routing_key", key))
    request_id = document.get("id")
    request_id = "" if request_id is None else plain_text("id", request_id)
    wanted = [] if document.get("outputs") is None else _listed(document, "outputs")
    form = _form(wanted, parameters)
    return InferRequest(model, version, inputs, tuple(form.outputs), request_id, key, deadline), form


def _inputs(entries: list[Any], raw: memoryview | None) -> dict[str, Array]:
    tensors: dict[str, Array] = {}
    position = 0
    for entry in entries:
        name = _name(entry, "input")
        if name in tensors:
            raise invalid(f"input {quoted(name)} is given twice")
        if not entry.keys() <= _KNOWN_TENSOR:
            check_depth({k: v for k, v in entry.items() if k not in _KNOWN_TENSOR})
        shape = entry.get("shape")
        if type(shape) is not list:
            raise invalid(f"input {quoted(name)} has no shape, such as [1, 4]")
        lengths = shape_of(name, shape)
        datatype = entry.get("datatype")
        dtype = dtype_of(name, datatype)
        size = _binary_size(name, entry) if "parameters" in entry else None
        data = entry.get("data")
        if size is None:
            if type(data) is not list and type(data) is not np.ndarray:
                raise invalid(f"input {quoted(name)} has no list of data")
            tensors[name] = from_json(name, datatype, dtype, lengths, data)
            continue
        if data is not None:
            raise invalid(f"input {quoted(name)} has both data and binary_data_size")
        if raw is None or position + size > len(raw):
            raise invalid(f"input {quoted(name)} says more binary data than the body holds")
        tensors[name] = from_raw(name, dtype, lengths, raw[position : position + size])
        position += size
    if raw is not None and position != len(raw):
        raise invalid(f"the body holds {len(raw) - position} bytes of binary data that no input names")
    return tensors


def _binary_size(name: str, entry: dict[str, Any]) -> int | None:
    size = parameters_in(entry).get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise invalid(f"input {quoted(name)} must give binary_data_size as a whole number, 0 or more")
    return size


def _form(entries: list[Any], parameters: dict[str, Any]) -> AnswerForm:
    default = _flag(parameters, "binary_data_output", False)
    outputs: dict[str, OutputForm] = {}
    for entry in entries:
        name = _name(entry, "output")
        if name in outputs:
            raise invalid(f"output {quoted(name)} is asked for twice")
        own = parameters_in(entry)
        outputs[name] = OutputForm(_flag(own, "binary_data", default), class_count(own))
    return AnswerForm(OutputForm(default), outputs)


def _flag(parameters: dict[str, Any], name: str, default: bool) -> bool:
    value = parameters.get(name, default)
    if type(value) is not bool:
        raise invalid(f"parameter {name!r} must be true or false")
    return value


def _listed(document: dict[str, Any], field: str) -> list[Any]:
    entries = document.get(field)
    if type(entries) is not list:
        hint = "; 'instances' goes to /v1/models/NAME:predict" if "instances" in document else ""
        raise invalid(f"{field!r} must be a list of objects, one a tensor{hint}")
    return entries


def _name(entry: Any, side: str) -> str:
    name = entry.get("name") if type(entry) is dict else None
    if not isinstance(name, str) or not name:
        raise invalid(f"every {side} must be an object with a name")
    return name
