"""What a version looks like as JSON."""

import json
import math

from gateway.core.placement import Placed, Placement
from lifecycle.api.schemas.versions import FindingOut, LiveVersionOut, VersionOut
from lifecycle.core.verdict import Finding, Verdict
from tests.lifecycle.world import version


def test_numbers_that_json_cannot_say_are_null() -> None:
    finding = Finding("errors", Verdict.PASS, "fine", {"log_e": -math.inf, "rate": math.nan, "progress": 1.0})
    numbers = json.loads(FindingOut.of(finding).model_dump_json())["numbers"]
    assert numbers == {"log_e": None, "rate": None, "progress": 1.0}


def test_a_version_shows_no_place_of_its_files() -> None:
    shown = VersionOut.of(version(3)).model_dump_json()
    assert "file:///" not in shown
    assert json.loads(shown)["digest"] == "sha256:m3"


def test_where_a_version_runs_is_told_by_way_with_the_slowest_run() -> None:
    inline, pool, unmeasured = Placement.INLINE, Placement.POOL, Placement.DEDICATED
    placed = (Placed(pool, 2e6), Placed(inline, 2e5), Placed(pool, 3e6), Placed(unmeasured, math.inf))
    shown = json.loads(LiveVersionOut.live(version(3), placed).model_dump_json())["placed"]
    assert shown == [
        {"placement": "dedicated", "workers": 1, "run_ms": None},
        {"placement": "inline", "workers": 1, "run_ms": 0.2},
        {"placement": "pool", "workers": 2, "run_ms": 3.0},
    ]
