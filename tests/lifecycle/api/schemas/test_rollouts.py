"""What a rollout looks like as JSON."""

from lifecycle.api.schemas.rollouts import RolloutOut
from lifecycle.core.rollouts.plan import QUICK
from lifecycle.core.rollouts.rollout import Action, Kind, Rollout
from lifecycle.core.verdict import Verdict


def test_a_rollout_names_what_is_under_way() -> None:
    rollout = Rollout("id", "m", 2, 1, QUICK, 1.0, "ann", pending=Action(Kind.LOAD, "because"))
    shown = RolloutOut.of(rollout, 0.0)
    assert (shown.pending, shown.step, shown.active, shown.verdict) == (
        "load",
        -1,
        True,
        Verdict.INCONCLUSIVE,
    )
