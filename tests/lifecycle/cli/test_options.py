"""Who a command acts as."""

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


def _nobody() -> str:
    raise OSError("no name")
