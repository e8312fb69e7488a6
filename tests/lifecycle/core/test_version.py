"""Models and versions: what workers must hold, and JSON there and back."""

import json
from dataclasses import replace

from gateway.core.placement import Placement
from lifecycle.core.stages import Stage
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Approval, Description, Lineage, Model, Version
from tests.lifecycle.world import version

MODEL = Model(
    "m",
    3,
    5.0,
    champion=1,
    previous=9,
    weights=((1, 90.0), (2, 10.0)),
    shadows=(3,),
    held=(4,),
    recipe="r",
    aliases={"stable": 1},
)


def test_workers_hold_what_has_traffic_copies_or_is_kept_warm() -> None:
    assert MODEL.loaded() == {1, 2, 3, 4}
    assert replace(MODEL, weights=(), champion=0, shadows=(), held=()).loaded() == set()


def test_the_route_names_every_version_to_hold() -> None:
    route = MODEL.route({number: version(number) for number in range(1, 7)})
    assert [entry.version for entry in route.versions] == [1, 2, 3, 4]
    assert (route.champion, route.weights, route.shadows) == (1, MODEL.weights, (3,))


def test_a_model_survives_json() -> None:
    assert Model.from_json(json.loads(json.dumps(MODEL.as_json()))) == MODEL


def test_a_version_survives_json() -> None:
    found = replace(
        version(2, Stage.VALIDATED),
        lineage=Lineage(1, "recipes:fit", "sha256:data", "drift", "run 7", "repo@abc", 12),
        evidence=(Finding("load", Verdict.PASS, "fine", {"ms": 1.5}),),
        approvals=(Approval("bob", 5.0, "approver", "looks fine"),),
        description=Description("risk", "scores", "not for loans", {"eu": ""}, {"auc": 0.9}),
        reference="file:///rows",
    )
    assert Version.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_what_stays_in_memory_is_what_is_held_or_all_of_a_resident_model() -> None:
    versions = {number: version(number) for number in (1, 2, 3, 4)}
    assert MODEL.route(versions).held == MODEL.held
    assert replace(MODEL, resident=True).route(versions).resident


def test_a_placement_that_people_chose_comes_before_the_measured_one() -> None:
    large = {1: replace(version(1), placement=Placement.DEDICATED)}
    model = Model("m", 1, 5.0, champion=1, weights=((1, 100.0),))

    def placed(model: Model) -> Placement:
        return model.route(large).versions[0].placement

    assert placed(model) is Placement.DEDICATED
    assert placed(replace(model, placement=Placement.POOL)) is Placement.POOL
