"""Failures on the wire, as the SDK tells of them."""

import httpx

from lifecycle.client.wire import rebuilt, unreachable
from lifecycle.errors import LifecycleCode


def test_a_failure_keeps_its_code() -> None:
    body = {"error": {"code": "UNAUTHENTICATED", "message": "a key is needed"}}
    error = rebuilt(httpx.Response(401, json=body))
    assert (error.code, error.message) == (LifecycleCode.UNAUTHENTICATED, "a key is needed")


def test_a_late_answer_is_told_from_none() -> None:
    assert "in time" in unreachable("http://h", httpx.ReadTimeout("")).message
    assert "headrace up" in unreachable("http://h", httpx.ConnectError("")).message
