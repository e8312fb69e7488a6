"""What a version looks like as JSON."""

import json
import math

from lifecycle.api.schemas.versions import FindingOut, VersionOut
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
