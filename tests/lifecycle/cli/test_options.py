"""Who a command acts as, and on which revision of a model."""

import getpass

import pytest

from lifecycle.cli.options import connect
from tests.lifecycle.cli.conftest import Run
from tests.lifecycle.live import Live


def test_commands_act_as_the_one_who_is_named(run: Run) -> None:
    assert run("model", "register", "fraud", "v1.onnx", "--json").json["submitter"] == "ada"


def test_or_as_the_one_logged_in(run: Run, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADRACE_ACTOR")
    monkeypatch.setattr(getpass, "getuser", lambda: "grace")
    assert run("model", "register", "fraud", "v1.onnx", "--json").json["submitter"] == "grace"
    monkeypatch.setattr(getpass, "getuser", _nobody)
    with connect(live.url) as client:
        assert client.status()["ready"]


def test_names_reasons_and_keys_may_be_written_as_people_write(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_ACTOR", "jürgen")
    monkeypatch.setenv("HEADRACE_KEY", "hr_…\n")
    said = run("--override", "für heute,\nnur einmal", "model", "register", "fraud", "v1.onnx", "--json")
    assert said.json["submitter"] == "jürgen"


CHANGES = (
    "model register fraud v3.onnx",
    "model holdout fraud v3.onnx",
    "model limits fraud --max-concurrency 8",
    "model cache fraud --max-mb 8",
    "model memory fraud --resident",
    "model placement fraud pool",
    "model alias fraud blue 1",
    "model unalias fraud blue",
    "version validate fraud 2",
    "version approve fraud 2",
    "version reject fraud 2",
    "version retire fraud 2",
    "version deploy fraud 2",
    "version describe fraud 2 --owner ada",
    "traffic set fraud 2=100",
    "rollout start fraud 2",
    "rollout pause fraud",
    "rollout resume fraud",
    "rollout promote fraud",
    "rollout abort fraud",
    "rollback fraud",
    "retrain fraud",
)


def test_every_change_goes_ahead_only_on_the_revision_that_is_named(deployed: Run, live: Live) -> None:
    with connect(live.url) as client:
        written = client.audit()
        for words in CHANGES:
            said = deployed(*words.split(), "--if-revision", 999)
            assert (said.code, "not 999; look again" in said.err) == (1, True), words
        assert client.audit() == written


def _nobody() -> str:
    raise OSError("no name")
