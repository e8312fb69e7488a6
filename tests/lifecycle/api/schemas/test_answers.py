"""What the registry's values look like as JSON."""

import json

from lifecycle.api.schemas.answers import RolloutOut, TrafficOut
from lifecycle.core.plan import QUICK
from lifecycle.core.rollout import Action, Kind, Rollout
from lifecycle.core.verdict import Verdict
from lifecycle.core.version import Model


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
