from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lifecycle.commands.deploy import Deploy
from lifecycle.commands.publish import Publisher
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.core.rollouts.plan import CAUTIOUS, QUICK
from lifecycle.core.stages import Stage
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.registry import GOOD, House
from tests.lifecycle.world import FakeFleet, weights

Write = Callable[..., Path]


class Deployed(House):
    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.fleet = FakeFleet()
        self.deploy = self.deploying(approvals=0)

    def deploying(self, approvals: int) -> Deploy:
        publisher = Publisher(self.store, self.fleet)
        traffic = Traffic(self.store, self.fleet, publisher, lambda: 1000.0)
        rollouts = Rollouts(self.store, publisher, lambda: 1000.0)
        return Deploy(*self.commands(approvals), traffic, rollouts, QUICK)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Deployed]:
    house = Deployed(tmp_path)
    yield house
    house.store.close()


async def test_a_first_version_gets_all_traffic(house: Deployed, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    assert await house.deploy.deploy("m", 1, "ann") == "version 1 of 'm' has all traffic"
    assert weights(house.fleet.table) == {1: 100.0}
    assert house.models.version("m", 1).stage is Stage.SERVING
    assert await house.deploy.deploy("m", 1, "ann") == "version 1 of 'm' is the champion already"


async def test_a_later_version_starts_the_default_rollout_or_the_one_asked_for(
    house: Deployed, linear: Write
) -> None:
    await house.models.register("m", linear(), actor="ann")
    await house.deploy.deploy("m", 1, "ann")
    await house.models.register("m", linear(slope=2), actor="ann")
    assert await house.deploy.deploy("m", 2, "ann") == "version 2 of 'm' is in a rollout by the plan `quick`"
    (rollout,) = house.store.rollouts("m", active=True)
    assert (rollout.version, rollout.champion, rollout.started_by) == (2, 1, "ann")
    assert weights(house.fleet.table) == {1: 100.0}

    await house.models.register("m", linear(slope=3), actor="ann")
    with pytest.raises(LifecycleError, match="version 2 is in a rollout") as caught:
        await house.deploy.deploy("m", 3, "ann", CAUTIOUS)
    assert caught.value.code is LifecycleCode.CONFLICT


async def test_a_version_that_fails_a_gate_gets_no_traffic(house: Deployed, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    house.sandbox.says = replace(GOOD, findings=(Finding("load", Verdict.FAIL, "broken"),))
    with pytest.raises(LifecycleError, match="`load`"):
        await house.deploy.deploy("m", 1, "ann")
    assert house.fleet.published == []


async def test_where_people_approve_a_deployment_waits_for_them(house: Deployed, linear: Write) -> None:
    deploy = house.deploying(approvals=1)
    await house.models.register("m", linear(), actor="ann")
    assert await deploy.deploy("m", 1, "ann") == (
        "version 1 of 'm' is validated and waits for approval by 1 of role approver or above"
    )
    assert house.fleet.published == []
    house.commands(approvals=1)[0].approve("m", 1, "bob")
    assert await deploy.deploy("m", 1, "ann") == "version 1 of 'm' has all traffic"


async def test_a_rejected_version_comes_back_by_a_new_judgement_only(house: Deployed, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    house.models.reject("m", 1, "bob")
    with pytest.raises(LifecycleError, match="was rejected") as caught:
        await house.deploy.deploy("m", 1, "ann")
    assert caught.value.code is LifecycleCode.CONFLICT
    await house.validation.validate("m", 1, "ann")
    assert await house.deploy.deploy("m", 1, "ann") == "version 1 of 'm' has all traffic"
