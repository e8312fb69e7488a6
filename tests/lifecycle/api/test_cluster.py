"""What is asked of the whole node."""

from tests.lifecycle.api.conftest import Admin


async def test_an_upgrade_names_who_went_and_who_came(admin: Admin) -> None:
    answer = await admin.http.post("/v1/upgrade")
    assert answer.status_code == 200
    assert len(answer.json()["before"]) == len(answer.json()["after"])
    assert not set(answer.json()["before"]) & set(answer.json()["after"])
