"""Collecting files over HTTP."""

from tests.lifecycle.api.conftest import Admin


async def test_a_dry_run_tells_what_a_collection_takes(admin: Admin) -> None:
    await admin.deployed()
    await admin.register(text="2")
    for verb in ("reject", "retire"):
        await admin.http.post(f"/v1/models/fraud/versions/2/{verb}")
    told = (await admin.http.post("/v1/artifacts/collect?dry_run=true")).json()
    assert (len(told["removed"]), told["kept"], told["dry_run"]) == (1, 1, True)
    done = (await admin.http.post("/v1/artifacts/collect")).json()
    assert done["removed"] == told["removed"]
    assert (await admin.http.post("/v1/artifacts/collect")).json()["removed"] == []
    assert (await admin.http.get("/v1/models/fraud/versions/2")).json()["stage"] == "retired"
