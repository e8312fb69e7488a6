"""W3C Trace Context: what a caller says of the trace that its request belongs to. Version 00, level 1.

https://www.w3.org/TR/trace-context/
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

PARENT = b"traceparent"
STATE = b"tracestate"
_FORM = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MOST_STATE = 512


class TraceContext(NamedTuple):
    """`trace_id` has 32 and `span_id` 16 hexadecimal digits; `state` is the vendors' own, untouched."""

    trace_id: str
    span_id: str
    sampled: bool
    state: str = ""

    @property
    def header(self) -> str:
        """As `traceparent` says it."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


def trace_context(headers: Mapping[bytes, bytes]) -> TraceContext | None:
    """What the headers say; None if they say nothing or nothing valid, as the recommendation has it."""
    found = _FORM.fullmatch(headers.get(PARENT, b""))
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == b"ff" or (version == b"00" and more) or not trace.strip(b"0") or not span.strip(b"0"):
        return None
    state = headers.get(STATE, b"")
    kept = state.decode() if len(state) <= _MOST_STATE and state.isascii() else ""
    return TraceContext(trace.decode(), span.decode(), bool(int(flags, 16) & 1), kept)
