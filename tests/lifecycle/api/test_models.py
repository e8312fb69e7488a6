"""Models over HTTP."""

from tests.lifecycle.api.conftest import Admin


async def test_models_are_listed_with_their_traffic(admin: Admin) -> None:
    assert (await admin.http.get("/v1/models")).json() == {"models": []}
    await admin.deployed(versions=2)
    (listed,) = (await admin.http.get("/v1/models")).json()["models"]
    assert listed == (await admin.http.get("/v1/models/fraud")).json()
    assert (listed["champion"], listed["weights"], listed["versions"]) == (1, {"1": 100.0}, 2)
