"""Policies, the law of stages and retention on the command line."""

from lifecycle.core.stages import TRANSITIONS
from tests.lifecycle.cli.conftest import Run


def test_the_law_of_stages_is_printed(alone: Run) -> None:
    assert len(alone("version", "stages").out.splitlines()) == len(TRANSITIONS) + 1
    assert {"stage": "serving", "event": "stand down", "leads_to": "approved"} in alone(
        "version", "stages", "--json"
    ).json


def test_a_policy_is_shown(deployed: Run) -> None:
    said = deployed("model", "policy", "fraud")
    assert (said.code, "every gate passed is enough" in said.out) == (0, True)


def test_stored_files_are_collected(deployed: Run) -> None:
    said = deployed("collect", "--dry-run")
    assert (said.code, "nothing is over its time; 2 files stay" in said.out) == (0, True)
    assert deployed("collect", "--json").json["kept"] == 2
