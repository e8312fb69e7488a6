"""The small fields of a request and their rules, the same for every protocol."""

import re
import time
from collections.abc import Mapping
from types import NoneType
from typing import Any

import orjson

from gateway.core.alias import ALIAS
from gateway.core.words import quoted
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols import minus_zero

MAX_TEXT = 256
"""Characters of an id or a routing key."""
_MAX_DEPTH = 100
MAX_TIMEOUT_US = 10**15
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
_VERSION = re.compile(r"[0-9]{1,18}")
_FOREIGN = {
    "it has no NaN and no infinity, which only binary tensors hold:": re.compile(r"NaN|Infinity|nan|inf"),
    "this is Python's notation, which `json.dumps` turns into JSON:": re.compile(r"'|True|False|None"),
}
"""What is said of other notations, by how they begin."""
_REFUSED = {
    "shared_memory_region": "shared memory",
    "shared_memory_byte_size": "shared memory",
    "shared_memory_offset": "shared memory",
    "sequence_id": "a sequence",
    "sequence_start": "a sequence",
    "sequence_end": "a sequence",
}


def invalid(message: str) -> GatewayError:
    """The caller's fault; the message says what to send instead."""
    return GatewayError(ErrorCode.INVALID, message)


def model_name(text: str) -> str:
    """The name, or INVALID: letters, digits, `.`, `_` and `-`, at most 255, not starting with `.` or `-`."""
    if _NAME.fullmatch(text) is None:
        raise invalid(
            "a model name has 1 to 255 letters, digits, '.', '_' or '-', and starts with no '.' or '-'"
        )
    return text


def version_named(text: str) -> int | str | None:
    """A version as clients write it, by number or alias; empty means none is pinned."""
    if not text:
        return None
    if _VERSION.fullmatch(text) is not None:
        return int(text)
    if ALIAS.fullmatch(text) is None:
        raise invalid("a version is a whole number, such as 3, or an alias, such as champion")
    return text


def json_object(text: bytes | memoryview) -> dict[str, Any]:
    """The JSON object that a body is, or INVALID. How deep it may nest is for `check_depth` to say."""
    if not len(text):
        raise invalid("the body is empty")
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise invalid(f"the body is not JSON: {_why(error)}") from None
    if type(document) is not dict:
        raise invalid("the body must be a JSON object")
    if not minus_zero.found(text):
        return document
    check_depth(document)
    signed: dict[str, Any] = minus_zero.loads(text)
    return signed


def _why(error: orjson.JSONDecodeError) -> str:
    notation = next((said for said, begins in _FOREIGN.items() if begins.match(error.doc, error.pos)), "")
    return f"{notation or error.msg[:100]} at character {error.pos}"


def plain_text(field: str, value: object) -> str:
    """A caller's id or key: short and printable, because it reaches logs."""
    if not isinstance(value, str):
        raise invalid(f"{field} must be a string")
    if len(value) > MAX_TEXT or not value.isprintable():
        raise invalid(f"{field} must be printable text of at most {MAX_TEXT} characters")
    return value


def parameters_in(entry: Mapping[str, Any], field: str = "parameters") -> dict[str, Any]:
    """The parameters of a JSON object; one that is null is none. Raises INVALID as `check_parameters`."""
    parameters = entry.get(field)
    if not parameters and type(parameters) in (dict, NoneType):
        return {}
    if type(parameters) is not dict:
        raise invalid(f"{field!r} must be a JSON object")
    # Clients with types for the protocol send null for each parameter that they know and do not use.
    given = {name: value for name, value in parameters.items() if value is not None}
    check_parameters(given)
    return given


def check_parameters(parameters: Mapping[str, object]) -> None:
    """Raise INVALID for a parameter that is no scalar, or that asks for what is not done here."""
    for name, value in parameters.items():
        if not isinstance(value, bool | int | float | str):
            raise invalid(f"parameter {quoted(name)} must be a bool, a number or a string")
    if refused := parameters.keys() & _REFUSED.keys():
        name = min(refused)  # protobuf keeps no order
        raise invalid(f"parameter {name!r} asks for {_REFUSED[name]}, which is not supported here")


def check_depth(value: object) -> None:
    """Raise INVALID for parsed JSON that is nested too deep. Walks level by level, never recursively."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return
    raise invalid(f"the body is nested deeper than {_MAX_DEPTH} levels")


def deadline_after(parameters: Mapping[str, object]) -> int:
    """When the parameter `timeout` (µs, as Triton has it) ends, on the monotonic clock; 0 without one."""
    timeout = parameters.get("timeout", 0)
    if type(timeout) is not int or not 0 <= timeout <= MAX_TIMEOUT_US:
        raise invalid("parameter 'timeout' must be a whole number of microseconds, 0 for none")
    return time.monotonic_ns() + timeout * 1000 if timeout else 0


def earliest(one_ns: int, other_ns: int) -> int:
    """The earlier of two deadlines, of which 0 is none."""
    return min(one_ns, other_ns) if one_ns and other_ns else one_ns or other_ns


def class_count(parameters: Mapping[str, object]) -> int:
    """How many classes an output's `classification` asks for; 0 is off."""
    count = parameters.get("classification", 0)
    if type(count) is not int or count < 0:
        raise invalid("parameter 'classification' must be a whole number, 0 or more")
    return count
