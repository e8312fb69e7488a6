import pytest

from gateway.core.trace_context import TraceContext, trace_context

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_a_valid_header_is_read_and_written_as_it_came() -> None:
    header = f"00-{TRACE}-{SPAN}-01"
    found = trace_context({b"traceparent": header.encode(), b"tracestate": b"vendor=1"})
    assert found == TraceContext(TRACE, SPAN, True, "vendor=1")
    assert found.header == header
    assert trace_context({b"traceparent": f"00-{TRACE}-{SPAN}-02".encode()}) == TraceContext(
        TRACE, SPAN, False
    )


def test_later_versions_are_read_as_far_as_they_are_known() -> None:
    assert trace_context({b"traceparent": f"cc-{TRACE}-{SPAN}-01-more".encode()}) is not None


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
    ],
)
def test_what_is_not_valid_says_nothing(header: str) -> None:
    assert trace_context({b"traceparent": header.encode()}) is None


@pytest.mark.parametrize("state", [b"\xff", b"v=" + b"x" * 600])
def test_a_bad_state_is_dropped_alone(state: bytes) -> None:
    found = trace_context({b"traceparent": f"00-{TRACE}-{SPAN}-01".encode(), b"tracestate": state})
    assert found == TraceContext(TRACE, SPAN, True)
