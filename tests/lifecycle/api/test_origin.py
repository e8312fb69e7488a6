"""Pages of other web sites get nothing from the admin API."""

import pytest

from tests.lifecycle.api.conftest import Admin


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8002", "localhost:8002", "[::1]:8002", "admin.example", "LOCALHOST"]
)
async def test_own_names_are_served(admin: Admin, host: str) -> None:
    assert (await admin.http.get("/v1/status", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "10.1.2.3", "", "[::1", "0.0.0.0"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_foreign_host_is_forbidden(admin: Admin, host: str, method: str) -> None:
    answer = await admin.http.request(method, "/v1/models", headers={"host": host})
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:8002", "http://[::1", ""],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_foreign_origin_is_forbidden(admin: Admin, origin: str, method: str) -> None:
    answer = await admin.http.request(method, "/v1/models/m/rollback", headers={"origin": origin})
    assert answer.status_code == 403


async def test_the_own_page_is_no_foreigner(admin: Admin) -> None:
    answer = await admin.http.get("/v1/status", headers={"origin": "http://127.0.0.1:8002"})
    assert answer.status_code == 200
