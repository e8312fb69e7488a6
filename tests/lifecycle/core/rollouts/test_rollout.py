"""What a rollout tells of itself."""

import math
from dataclasses import replace

from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Rollout

START = Rollout("r", "m", 2, 1, preset("quick"), 0.0, "ann")


def test_the_last_step_of_live_traffic_lasts_until_something_is_decided() -> None:
    assert START.live_steps == ()
    live = replace(START, splits_at=(10.0, 20.0))
    assert live.live_steps == ((10.0, 20.0), (20.0, math.inf))
    assert replace(live, decided_at=30.0).live_steps == ((10.0, 20.0), (20.0, 30.0))
