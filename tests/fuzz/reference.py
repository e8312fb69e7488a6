"""The V2 JSON body, read slowly and obviously: the fast decoder must agree with it."""

import json
import math
from typing import Any

import numpy as np

from gateway.core.types import NUMPY_DTYPES, Array

_RANK, _LENGTH, _DEPTH = 32, 2**31 - 1, 100


class Refused(Exception):
    """The body is a caller's mistake."""


def inputs_of(body: bytes) -> dict[str, Array]:
    """The inputs by name. Raises Refused. Parameters, outputs and id are not looked at."""
    document = _parsed(body)
    if type(document) is not dict or type(document.get("inputs")) is not list:
        raise Refused
    tensors: dict[str, Array] = {}
    for entry in document["inputs"]:
        if type(entry) is not dict or type(entry.get("name")) is not str or entry["name"] in ("", *tensors):
            raise Refused
        tensors[entry["name"]] = _tensor(entry.get("datatype"), entry.get("shape"), entry.get("data"))
    return tensors


def _parsed(body: bytes) -> Any:
    def refuse(_: str) -> None:
        raise Refused

    try:
        text = body.decode()
        document = json.loads(text, parse_constant=refuse)
        json.dumps(document, ensure_ascii=False).encode()  # no lone surrogates
    except (ValueError, RecursionError):
        raise Refused from None
    return document


def _tensor(datatype: Any, shape: Any, data: Any) -> Array:
    if type(datatype) is not str or datatype not in NUMPY_DTYPES or datatype in ("FP16", "BF16"):
        raise Refused
    if type(shape) is not list or len(shape) > _RANK or type(data) is not list:
        raise Refused
    if any(type(length) is not int or not 0 <= length <= _LENGTH for length in shape):
        raise Refused
    if data and type(data[0]) is list:
        data = _flattened(data, shape)
    if len(data) != math.prod(shape):
        raise Refused
    flat = np.empty(len(data), NUMPY_DTYPES[datatype])
    for index, value in enumerate(data):
        flat[index] = _element(datatype, value)
    try:
        return flat.reshape(shape)
    except ValueError:
        raise Refused from None


def _flattened(data: Any, shape: list[int]) -> list[Any]:
    if not shape:
        return [data]  # a scalar: no element of it may be a list, and `_element` says so
    if type(data) is not list or len(data) != shape[0]:
        raise Refused
    if len(shape) == 1:
        return data
    return [value for row in data for value in _flattened(row, shape[1:])]


def _element(datatype: str, value: Any) -> Any:
    match datatype:
        case "BOOL" if type(value) is bool:
            return value
        case "BYTES" if type(value) is str:
            return value.encode()
        case "FP32" | "FP64" if type(value) in (int, float):
            with np.errstate(over="ignore"):
                number = np.dtype(NUMPY_DTYPES[datatype]).type(_as_double(value))
            if np.isfinite(number):
                return number
        case _ if type(value) is int and datatype[:3] in ("INT", "UIN"):
            bounds = np.iinfo(NUMPY_DTYPES[datatype].name)
            if bounds.min <= value <= bounds.max:
                return value
    raise Refused


def _as_double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise Refused from None
