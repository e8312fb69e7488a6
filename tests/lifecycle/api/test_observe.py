"""What is seen of a model, over HTTP."""

from gateway.core.types import Role
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.world import window


async def test_a_series_has_a_point_per_second(admin: Admin) -> None:
    await admin.deployed()
    admin.desk.monitor.absorb([window(1, Role.CHAMPION, 1, requests=50, errors=2, model="fraud", end=7.5)])
    (point,) = (await admin.http.get("/v1/models/fraud/series")).json()["points"]
    assert (point["at"], point["requests"], point["errors"]) == (7, {"1": 50}, {"1": 2})


async def test_nothing_known_is_said_and_never_a_pass(admin: Admin) -> None:
    await admin.deployed()
    drift = (await admin.http.get("/v1/models/fraud/drift")).json()
    performance = (await admin.http.get("/v1/models/fraud/performance")).json()
    assert drift["verdict"] == "INCONCLUSIVE"
    assert drift["reason"]
    assert (performance["versions"], performance["fall"]) == ([], None)


async def test_a_model_without_a_recipe_is_not_retrained(admin: Admin) -> None:
    await admin.deployed()
    assert (await admin.http.post("/v1/models/fraud/retrain", json={"reason": "why not"})).status_code == 400
    assert not (await admin.http.get("/v1/models/fraud/retrain")).json()["running"]


async def test_an_unknown_model_is_not_found(admin: Admin) -> None:
    paths = ("series", "drift", "performance", "retrain")
    answers = [(await admin.http.get(f"/v1/models/none/{path}")).status_code for path in paths]
    assert answers == [404] * 4
