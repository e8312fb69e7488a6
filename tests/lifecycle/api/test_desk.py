"""Who asks, as the ledger will have it."""

import pytest

from tests.lifecycle.api.conftest import Admin


async def test_nobody_named_is_local(admin: Admin) -> None:
    await admin.register()
    assert (await admin.http.get("/v1/audit")).json()["records"][0]["actor"] == "local"


@pytest.mark.parametrize("actor", ["", "x" * 201, "tab\there", b"latin \xfc"])
async def test_a_name_that_would_spoil_the_ledger_is_refused(admin: Admin, actor: str | bytes) -> None:
    admin.http.headers = {b"x-headrace-actor": actor if isinstance(actor, bytes) else actor.encode()}
    answer = await admin.register()
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID")
