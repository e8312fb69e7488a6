"""Following a deployment, seen from the command line."""

from threading import Thread
from types import SimpleNamespace

import pytest

from lifecycle.cli.follow import follow_deployment
from lifecycle.client import Client
from lifecycle.terminal.screen import Steps
from tests.lifecycle.cli.conftest import Run
from tests.lifecycle.live import Live


def test_a_rollout_that_ends_without_traffic_is_a_failure(deployed: Run, live: Live) -> None:
    with Client(live.url) as other:

        def abort_once_there() -> None:
            while not other.rollouts("fraud"):
                pass
            other.abort("fraud")

        thread = Thread(target=abort_once_there)
        thread.start()
        said = deployed("version", "deploy", "fraud", 2)
        thread.join()
    assert said.code == 1
    assert said.err.startswith("headrace: the rollout of version 2 is aborted")


def test_beside_json_it_is_said_what_is_waited_for(deployed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lifecycle.cli.follow.time", SimpleNamespace(sleep=interrupted))
    said = deployed("version", "deploy", "fraud", 2, "--json")
    assert said.err.startswith("version 2: ")
    assert not said.out
    assert deployed("rollout", "abort", "fraud").code == 0


def test_a_champion_is_not_deployed_again(deployed: Run, live: Live) -> None:
    with Client(live.url) as client:
        answer = follow_deployment(client, "fraud", 1, "", Steps(quiet=True))
    assert answer["message"] == "version 1 of 'fraud' is the champion already"
    assert deployed("version", "deploy", "fraud", 1).code == 0


def test_to_stop_waiting_stops_no_rollout(deployed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("lifecycle.cli.follow.describe", interrupted)
    said = deployed("version", "deploy", "fraud", 2)
    assert (said.code, said.err) == (
        130,
        "the rollout goes on; `headrace rollout abort fraud` would end it\n",
    )
    assert deployed("rollout", "show", "fraud", "--json").json["active"]
