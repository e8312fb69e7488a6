"""`headrace model` against a server."""

from tests.lifecycle.cli.conftest import Run
from tests.lifecycle.live import Live
from tests.lifecycle.world import FakeFleet


def test_a_model_is_registered_deployed_and_shown(run: Run) -> None:
    assert "no models yet" in run("model", "list").out
    said = run("model", "register", "fraud", "v1.onnx", "--recipe", "recipes:fit", "--deploy")
    shown = run("model", "show", "fraud", "--json").json

    assert said.code == 0
    assert "version 1 of 'fraud' has all traffic" in said.out
    assert (shown["champion"], shown["recipe"]) == (1, "recipes:fit")
    assert "1=100" in run("model", "list").out
    assert "registered by hand" in run("model", "show", "fraud").out


def test_what_does_not_load_is_shown_with_the_reason(deployed: Run, live: Live) -> None:
    assert "does not load" not in deployed("model", "show", "fraud").out
    fleet = live.desk.fleet
    assert isinstance(fleet, FakeFleet)
    fleet.broken.add(("fraud", 1))
    fleet.wake()
    assert "version 1: it is broken" in deployed("model", "show", "fraud").out


def test_each_step_names_the_next(run: Run) -> None:
    assert "next: `headrace version deploy fraud 1`" in run("model", "register", "fraud", "v1.onnx").out
    assert "`headrace model example fraud` prints" in run("version", "deploy", "fraud", 1).out


def test_the_same_file_again_is_told_to_be_nothing_new(run: Run) -> None:
    assert "✓ registered fraud version 1" in run("model", "register", "fraud", "v1.onnx").out
    assert "nothing new: the same file is fraud version 1" in run("model", "register", "fraud", "v1.onnx").out


def test_the_file_of_a_rejected_version_does_not_come_back_by_itself(run: Run) -> None:
    run("model", "register", "fraud", "v1.onnx")
    run("version", "reject", "fraud", 1)
    said = run("model", "register", "fraud", "v1.onnx", "--deploy")
    assert (said.code, "version 1 was rejected" in said.err) == (1, True)
    assert run("version", "show", "fraud", 1, "--json").json["stage"] == "rejected"
    assert run("version", "validate", "fraud", 1).code == 0
    assert "version 1 of 'fraud' has all traffic" in run("version", "deploy", "fraud", 1).out


def test_json_is_all_that_is_printed(run: Run) -> None:
    assert run("model", "register", "fraud", "v1.onnx", "--json").json["number"] == 1
    assert run("model", "register", "fraud", "v2.onnx", "--version", 7, "--json").json["number"] == 7
    assert run("version", "deploy", "fraud", 1, "--json").json["traffic"]["weights"] == {"1": 100.0}
    assert [model["name"] for model in run("model", "list", "--json").json] == ["fraud"]


def test_a_refused_artifact_fails_in_one_line(run: Run) -> None:
    said = run("model", "register", "fraud", "broken.onnx", "--deploy")
    assert said.code == 1
    assert said.err == "headrace: the artifact is refused: gate `load`: it does not load\n"


def test_a_missing_file_fails_in_one_line(run: Run) -> None:
    said = run("model", "register", "fraud", "none.onnx")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "none.onnx" in said.err


def test_a_holdout_without_labels_fails_in_one_line(run: Run) -> None:
    run("model", "register", "fraud", "v1.onnx")
    assert "none frozen yet" in run("model", "show", "fraud").out
    said = run("model", "holdout", "fraud", "v1.onnx")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "column `label`" in said.err


def test_what_outputs_lie_in_is_declared_with_a_version(run: Run) -> None:
    ranges = ("--output-range", "y=0..0.1")
    assert run("model", "register", "fraud", "v1.onnx", *ranges).code == 0
    assert run("version", "show", "fraud", 1, "--json").json["output_ranges"] == ["y=0..0.1"]
    assert "y=0..0.1" in run("version", "show", "fraud", 1).out
    refused = run("model", "register", "fraud", "v2.onnx", "--output-range", "y=1")
    assert (refused.code, "score=0..1" in refused.err) == (1, True)
