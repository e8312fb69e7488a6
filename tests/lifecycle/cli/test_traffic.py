"""`headrace traffic` and `headrace rollback` against a server."""

import pytest

from lifecycle.cli.traffic import parse_weights
from lifecycle.errors import LifecycleError
from tests.lifecycle.cli.conftest import Run


def test_traffic_is_set_as_it_is_typed(deployed: Run) -> None:
    said = deployed("traffic", "set", "fraud", "1=90", "2=10")
    assert said.code == 0
    assert "confirmed by every worker" in said.out
    assert "headrace traffic set fraud 1=90 2=10" in deployed("traffic", "show", "fraud").out


def test_what_versions_do_stands_beside_their_share(deployed: Run) -> None:
    (line,) = (line for line in deployed("traffic", "show", "fraud").out.splitlines() if "0.50%" in line)
    assert line.split() == ["1", "champion", "1000", "0.50%", "0.00%", "0.2", "ms", "–"]


def test_shadows_are_set_kept_and_stopped(deployed: Run) -> None:
    def shadows(*options: object) -> object:
        return deployed("traffic", "set", "fraud", "1=100", *options, "--json").json["shadows"]

    assert shadows("--shadow", 2) == [2]
    assert shadows() == [2]
    assert shadows("--no-shadow") == []


def test_a_dry_run_and_a_stale_revision_change_nothing(deployed: Run) -> None:
    dry = deployed("traffic", "set", "fraud", "2=100", "--dry-run")
    stale = deployed("traffic", "set", "fraud", "2=100", "--if-revision", 1)
    assert "nothing was changed" in dry.out
    assert stale.code == 1
    assert "revision" in stale.err
    assert deployed("traffic", "show", "fraud", "--json").json["weights"] == {"1": 100.0}


def test_a_rollback_returns(deployed: Run) -> None:
    deployed("traffic", "set", "fraud", "2=100")
    assert deployed("rollback", "fraud", "--json").json["weights"] == {"1": 100.0}


def test_weights_are_read() -> None:
    assert parse_weights(["1=90", "canary=10%"]) == {"1": 90.0, "canary": 10.0}
    for bad in (["1"], ["1=x"], ["1=50", "1=50"]):
        with pytest.raises(LifecycleError):
            parse_weights(bad)
