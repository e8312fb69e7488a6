"""Models over HTTP."""

from datetime import UTC, datetime
from pathlib import Path

from gateway.core.keys import KeyRole
from lifecycle.api.app import build
from lifecycle.core.governance.freeze import Freeze
from lifecycle.core.governance.policy import Policy
from lifecycle.core.version import Model
from lifecycle.ports import Entry
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.desk import in_process, open_desk


async def test_models_are_listed_with_their_traffic(admin: Admin) -> None:
    assert (await admin.http.get("/v1/models")).json() == {"models": [], "total": 0}
    await admin.deployed(versions=2)
    (listed,) = (await admin.http.get("/v1/models")).json()["models"]
    assert listed == (await admin.http.get("/v1/models/fraud")).json()
    assert (listed["champion"], listed["weights"], listed["versions"]) == (1, {"1": 100.0}, 2)


async def test_a_policy_can_be_seen_and_a_freeze_overridden(tmp_path: Path) -> None:
    freeze = Freeze("audit", ends=datetime(2999, 1, 1, tzinfo=UTC))
    policy = Policy({KeyRole.ADMIN: 1}, frozenset({"load"}))
    desk, store, captures = open_desk(tmp_path, policy=policy, freezes=[freeze])
    async with in_process(build(desk)) as http:
        admin = Admin(http, desk, store, captures)
        await admin.register()
        shown = (await http.get("/v1/models/fraud/policy")).json()
        assert (shown["approvals"], shown["gates"]) == ({"admin": 1}, ["load"])
        assert shown["frozen"] == "traffic is frozen until 2999-01-01 00:00 UTC (`audit`)"
        path = "/v1/models/fraud/versions/1"
        assert (await http.post(f"{path}/validate")).json()["stage"] == "validated"
        http.headers["x-headrace-actor"] = "boss"
        approved = await http.post(f"{path}/approve", json={"comment": "as agreed"})
        assert approved.json()["approvals"][0]["comment"] == "as agreed"
        waits = (await http.post(f"{path}/deploy")).json()
        assert "is approved and waits: traffic is frozen" in waits["message"]
        assert "(`audit`); then `headrace version deploy fraud 1`, or now" in waits["message"]
        split = {"weights": {"1": 100}}
        draft = (await http.put("/v1/models/fraud/traffic", json=split | {"dry_run": True})).json()
        assert (draft["revision"], draft["frozen"]) == (2, shown["frozen"])
        assert (await http.put("/v1/models/fraud/traffic", json=split)).status_code == 409
        over = {"x-headrace-override": "card outage"}
        assert (await http.put("/v1/models/fraud/traffic", json=split, headers=over)).status_code == 200
    await desk.retraining.close()
    store.close()


async def test_models_are_searched_and_paged(admin: Admin) -> None:
    for name in ("ash", "birch", "ashen", "oak"):
        admin.store.commit(Entry("ann", "test", name), Model(name, 1, 0.0))

    async def names(**params: str | int) -> tuple[list[str], int]:
        page = (await admin.http.get("/v1/models", params=params)).json()
        return [model["name"] for model in page["models"]], page["total"]

    assert await names() == (["ash", "ashen", "birch", "oak"], 4)
    assert await names(search="sh") == (["ash", "ashen"], 2)
    assert await names(limit=2) == (["ash", "ashen"], 4)
    assert await names(limit=2, after="ashen") == (["birch", "oak"], 4)
    assert (await admin.http.get("/v1/models", params={"limit": 0})).status_code == 400
