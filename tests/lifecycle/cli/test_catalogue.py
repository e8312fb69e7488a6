"""Model cards, aliases and the law of stages on the command line."""

from lifecycle.core.stages import TRANSITIONS
from tests.lifecycle.cli.conftest import Run


def test_a_card_is_completed_and_printed(deployed: Run) -> None:
    said = deployed(
        *("version", "describe", "fraud", "champion", "--owner", "risk", "--tag", "region=eu"),
        *("--tag", "audited", "--metric", "auc=0.93"),
    )
    assert (said.code, "audited, region=eu" in said.out, "auc=0.93" in said.out) == (0, True, True)
    deployed("version", "describe", "fraud", 1, "--untag", "audited")
    assert deployed("version", "card", "fraud", 1).out.startswith("# fraud version 1\n")
    page = deployed("version", "card", "fraud", 1, "--html").out
    assert page.startswith("<!doctype html>")
    assert "<td>region=eu</td>" in page


def test_a_metric_is_a_number(deployed: Run) -> None:
    said = deployed("version", "describe", "fraud", 1, "--metric", "auc=high")
    assert (said.code, "is not a number" in said.err) == (1, True)


def test_an_alias_stands_for_a_version(deployed: Run) -> None:
    assert "next      2" in deployed("model", "alias", "fraud", "next", 2).out
    assert "also called  next" in deployed("version", "show", "fraud", "next").out
    assert "next=2" in deployed("model", "show", "fraud").out
    assert deployed("traffic", "set", "fraud", "champion=90", "next=10").code == 0
    assert "next" not in deployed("model", "unalias", "fraud", "next").out


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
    assert (said.code, "0 files, 0 bytes, would go; 2 stay" in said.out) == (0, True)
    assert deployed("collect", "--json").json["kept"] == 2
