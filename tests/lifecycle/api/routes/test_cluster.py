"""What is asked of the whole node."""

from typing import cast

import pytest

from lifecycle.core.dedicated import Stayed
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.world import FakeFleet


async def test_an_upgrade_names_who_went_and_who_came(admin: Admin) -> None:
    answer = await admin.http.post("/v1/upgrade")
    assert answer.status_code == 200
    assert len(answer.json()["before"]) == len(answer.json()["after"])
    assert answer.json()["controller"] == "controller-1"
    assert answer.json()["stayed"] == []
    assert cast(FakeFleet, admin.desk.fleet).restarts == 1
    assert not set(answer.json()["before"]) & set(answer.json()["after"])


async def test_an_upgrade_names_what_it_could_not_renew(
    admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def renew() -> tuple[Stayed, ...]:
        return (Stayed("fraud", 2, "there is no room"),)

    monkeypatch.setattr(admin.desk.upgrade, "_renew", renew)
    answer = await admin.http.post("/v1/upgrade")
    assert answer.status_code == 200
    assert answer.json()["stayed"] == [{"model": "fraud", "version": 2, "reason": "there is no room"}]
    assert cast(FakeFleet, admin.desk.fleet).restarts == 1


async def test_a_node_that_may_join_is_told_how(admin: Admin) -> None:
    answer = await admin.http.get("/v1/join")
    assert answer.json() == {"address": "10.0.0.5:6379", "token": "secret"}
