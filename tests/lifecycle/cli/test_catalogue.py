"""Model cards and aliases on the command line."""

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
