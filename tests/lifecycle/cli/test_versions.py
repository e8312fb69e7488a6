"""`headrace version` against a server."""

from lifecycle.cli.versions import role_of
from tests.lifecycle.cli.conftest import Run


def test_a_version_is_judged_and_decided_on(run: Run) -> None:
    run("model", "register", "fraud", "v1.onnx")
    said = [
        run("version", verb, "fraud", 1).out.splitlines()[-1]
        for verb in ("validate", "approve", "reject", "retire")
    ]
    assert said == [
        f"fraud version 1 is {stage}" for stage in ("approved", "approved", "rejected", "retired")
    ]


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


def test_roles_follow_the_traffic() -> None:
    model = {"champion": 1, "weights": {"1": 90.0, "2": 10.0}, "shadows": [3], "held": [4]}
    assert [role_of(model, number) for number in range(1, 6)] == ["champion", "canary", "shadow", "held", ""]
