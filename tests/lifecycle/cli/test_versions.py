"""`headrace version` against a server."""

from pathlib import Path

import pytest

from gateway.core.keys import KeyRole
from lifecycle.cli.versions import role_of
from lifecycle.core.governance.policy import Policy
from tests.lifecycle.cli.conftest import Run
from tests.lifecycle.live import serving


def test_a_version_is_judged_and_decided_on(run: Run) -> None:
    run("model", "register", "fraud", "v1.onnx")
    said = [
        run("version", verb, "fraud", 1).out.splitlines()[-1]
        for verb in ("validate", "approve", "reject", "retire")
    ]
    assert said == [
        f"fraud version 1 is {stage}" for stage in ("approved", "approved", "rejected", "retired")
    ]


def test_a_version_shows_where_it_runs_and_what_a_run_takes(deployed: Run) -> None:
    deployed("model", "register", "fraud", "v2.onnx")
    runs = "inline (280 µs a run), pool (310 µs a run)"
    assert f"auto → {runs}" in deployed("version", "show", "fraud", 1).out
    assert "auto → not loaded" in deployed("version", "show", "fraud", 2).out
    shown = deployed("model", "show", "fraud").out
    assert (runs in shown, "not loaded" in shown) == (True, True)


def test_a_version_shows_its_evidence(deployed: Run) -> None:
    out = deployed("version", "show", "fraud", 1).out
    assert "x FP32[-1, 3]" in out
    assert "by ada" in out
    assert "warm_up" in out
    assert deployed("version", "show", "fraud", 1, "--json").json["stage"] == "serving"


def test_rejecting_a_serving_version_is_refused(deployed: Run) -> None:
    said = deployed("version", "reject", "fraud", 1)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert deployed("version", "reject", "fraud", 2, "--json").json["stage"] == "rejected"


def test_an_approval_that_is_not_the_last_says_what_is_missing(
    tmp_path: Path, alone: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = Policy({KeyRole.APPROVER: 2})
    with serving(tmp_path / "home", two) as live:
        said = alone("model", "register", "fraud", "v1.onnx", "--deploy", "--url", live.url)
        assert "next: `headrace version approve fraud 1`, by somebody else" in said.out
        monkeypatch.setenv("HEADRACE_ACTOR", "bob")
        said = alone("version", "approve", "fraud", 1, "--url", live.url)
        assert "it has 1 approval(s) and needs 2 of role approver or above" in said.out
        assert "missing: 1 of role approver or above" in said.out
        monkeypatch.setenv("HEADRACE_ACTOR", "cleo")
        said = alone("version", "approve", "fraud", 1, "--url", live.url)
        assert "next: `headrace version deploy fraud 1`" in said.out


def test_what_may_happen_to_a_version_is_told(run: Run) -> None:
    run("model", "register", "fraud", "v1.onnx")
    run("version", "reject", "fraud", 1)
    said = run("version", "approve", "fraud", 1)
    assert (
        "a version that is rejected cannot go through `approve`, only through `validate` or `retire`"
        in said.err
    )


def test_roles_follow_the_traffic() -> None:
    model = {"champion": 1, "weights": {"1": 90.0, "2": 10.0}, "shadows": [3], "held": [4]}
    assert [role_of(model, number) for number in range(1, 6)] == ["champion", "canary", "shadow", "held", ""]
