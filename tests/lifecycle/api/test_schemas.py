"""What the registry's values look like as JSON."""

import json
import math

from lifecycle.api.schemas import FindingOut, RolloutOut, TrafficOut, VersionOut
from lifecycle.core.plan import QUICK
from lifecycle.core.rollout import Action, Kind, Rollout
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Model
from tests.lifecycle.world import version


def test_numbers_that_json_cannot_say_are_null() -> None:
    finding = Finding("errors", Verdict.PASS, "fine", {"log_e": -math.inf, "rate": math.nan, "progress": 1.0})
    numbers = json.loads(FindingOut.of(finding).model_dump_json())["numbers"]
    assert numbers == {"log_e": None, "rate": None, "progress": 1.0}


def test_a_version_shows_no_place_of_its_files() -> None:
    shown = VersionOut.of(version(3)).model_dump_json()
    assert "file:///" not in shown
    assert json.loads(shown)["digest"] == "sha256:m3"


def test_weights_are_by_version() -> None:
    model = Model("m", 4, 1.0, champion=1, weights=((1, 90.0), (2, 10.0)), shadows=(3,))
    assert json.loads(TrafficOut.of(model).model_dump_json())["weights"] == {"1": 90.0, "2": 10.0}


def test_a_rollout_names_what_is_under_way() -> None:
    rollout = Rollout("id", "m", 2, 1, QUICK, 1.0, "ann", pending=Action(Kind.LOAD, "because"))
    shown = RolloutOut.of(rollout, 0.0)
    assert (shown.pending, shown.step, shown.active, shown.verdict) == (
        "load",
        -1,
        True,
        Verdict.INCONCLUSIVE,
    )
