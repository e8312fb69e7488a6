"""A request can take only so much of the controller's memory, whoever asks."""

import json
from collections.abc import AsyncIterator

import pytest

from lifecycle.api import bounds
from tests.lifecycle.api.conftest import Admin

FORECAST = "/v1/models/fraud/rollouts/forecast"
PART = b" " * (1 << 16)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_BYTES", 1 << 20)


class Endless:
    """A body in chunks, without an announced length."""

    def __init__(self, begin: bytes) -> None:
        self.begin = begin
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.begin
        while self.sent < 64 << 20:
            self.sent += len(PART)
            yield PART


@pytest.mark.parametrize("path", [FORECAST, "/v1/feedback", "/v1/keys"])
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b"])
@pytest.mark.parametrize("more", [{}, {"idempotency-key": "k"}], ids=["once", "with an idempotency key"])
async def test_a_body_without_end_is_refused(
    admin: Admin, path: str, kind: str, more: dict[str, str]
) -> None:
    body = Endless(b"{")
    answer = await admin.http.post(path, content=body, headers={"content-type": kind, **more})
    assert answer.status_code == 400
    assert "MiB at most" in answer.json()["error"]["message"]
    assert body.sent < 2 << 20


async def test_what_fits_is_read(admin: Admin) -> None:
    body = json.dumps({"version": 1}).encode() + b" " * 1_000_000
    answer = await admin.http.post(FORECAST, content=body, headers={"content-type": "application/json"})
    assert answer.json()["error"]["code"] == "NOT_FOUND"


async def test_files_may_be_larger(admin: Admin) -> None:
    files = {"artifact": ("model.onnx", b"\x80\x04" + bytes(2 << 20))}
    answer = await admin.http.post("/v1/models/fraud/versions", files=files)
    assert answer.status_code == 415
