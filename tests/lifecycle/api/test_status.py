"""Every failure has one body, one code and no secret."""

import pytest

from lifecycle.api.app import build
from lifecycle.api.status import HTTP_STATUS
from lifecycle.errors import LifecycleCode
from tests.lifecycle.api.conftest import Admin, short_files
from tests.lifecycle.desk import in_process, onnx_bytes


def test_every_code_has_its_status() -> None:
    assert {code: int(status) for code, status in HTTP_STATUS.items()} == {
        LifecycleCode.INVALID: 400,
        LifecycleCode.NOT_FOUND: 404,
        LifecycleCode.CONFLICT: 409,
        LifecycleCode.STALE: 412,
        LifecycleCode.REFUSED: 422,
        LifecycleCode.UNSUPPORTED: 415,
        LifecycleCode.UNAUTHENTICATED: 401,
        LifecycleCode.THROTTLED: 429,
        LifecycleCode.FORBIDDEN: 403,
        LifecycleCode.UNAVAILABLE: 503,
        LifecycleCode.INTERNAL: 500,
    }
    assert set(HTTP_STATUS) == set(LifecycleCode)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/models/none", 404, "NOT_FOUND"),
        ("GET", "/v1/nothing", 404, "NOT_FOUND"),
        ("DELETE", "/v1/models", 405, "INVALID"),
        ("GET", "/v1/audit?limit=0", 400, "INVALID"),
        ("GET", "/v1/audit?after=-1", 400, "INVALID"),
    ],
)
async def test_all_errors_share_one_body(
    admin: Admin, method: str, path: str, status: int, code: str
) -> None:
    answer = await admin.http.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"]


async def test_a_malformed_body_is_explained(admin: Admin) -> None:
    answer = await admin.http.put("/v1/models/m/traffic", json={"weights": {"1": "much"}})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("weights.1: ")
    kind = {"content-type": "application/json"}
    broken = await admin.http.put("/v1/models/m/traffic", content='{"weights":', headers=kind)
    assert broken.json()["error"]["message"] == "the body is no JSON: Expecting value at character 11"


async def test_a_name_with_a_slash_is_told_to_be_none(admin: Admin) -> None:
    answer = await admin.http.get("/v1/models/team%2Ffraud")
    assert answer.status_code == 404
    assert "no name has a slash in it" in answer.json()["error"]["message"]


async def test_an_unexpected_failure_tells_nothing(admin: Admin) -> None:
    app = build(admin.desk)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("the password is hunter2")

    async with in_process(app) as http:
        answer = await http.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "INTERNAL"
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "k"}], ids=["plainly", "under a key"])
async def test_a_full_disk_is_no_fault_of_who_uploads(admin: Admin, headers: dict[str, str]) -> None:
    files = {"artifact": ("model.onnx", onnx_bytes("x" * (4 << 20)))}
    with short_files(2 << 20):
        answer = await admin.http.post("/v1/models/fraud/versions", files=files, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
    assert "disk takes no more" in answer.json()["error"]["message"]
    assert (await admin.http.post("/v1/models/fraud/versions", files=files, headers=headers)).is_success


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded", ""])
async def test_json_that_is_called_something_else_is_told_what_to_be_called(admin: Admin, kind: str) -> None:
    await admin.deployed()
    for method, path, body in (
        ("PUT", "/v1/models/fraud/limits", b"{}"),
        ("POST", "/v1/models/fraud/retrain", b'{"reason": "a new season"}'),
    ):
        headers = {"content-type": kind} if kind else {}
        answer = await admin.http.request(method, path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED")
        assert "content-type: application/json" in answer.json()["error"]["message"]
    no_object = await admin.http.put("/v1/models/fraud/limits", json=[1])
    assert no_object.status_code == 400
