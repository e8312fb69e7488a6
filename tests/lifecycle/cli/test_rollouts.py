"""`headrace rollout` against a server."""

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from lifecycle.cli.rollout_text import describe
from lifecycle.client import Client
from tests.lifecycle.cli.conftest import Run
from tests.lifecycle.live import Live


def test_a_rollout_is_started_held_and_ended(deployed: Run) -> None:
    started = deployed("rollout", "start", "fraud", 2, "--plan", "manual")
    assert started.out.splitlines() == [
        "version 2: loading, 0 % of traffic, INCONCLUSIVE",
        "  follow it with `headrace rollout watch fraud`",
    ]
    assert "paused" in deployed("rollout", "pause", "fraud").out
    assert not deployed("rollout", "resume", "fraud", "--json").json["paused"]
    assert deployed("rollout", "promote", "fraud").code == 0
    assert "manual" in deployed("rollout", "show", "fraud").out
    assert deployed("rollout", "abort", "fraud", "--json").json["phase"] == "aborted"


def test_a_dry_run_foresees_and_starts_nothing(deployed: Run) -> None:
    said = deployed("rollout", "start", "fraud", 2, "--plan", "quick", "--dry-run")
    assert (said.code, "1000 requests/s" in said.out) == (0, True)
    told = deployed("rollout", "start", "fraud", 2, "--dry-run", "--json").json
    assert [step["weight"] for step in told["steps"]] == [0, 10]
    assert deployed("rollout", "show", "fraud").code == 1


def test_watching_a_rollout_that_did_not_promote_fails(deployed: Run) -> None:
    deployed("rollout", "start", "fraud", 2)
    deployed("rollout", "abort", "fraud")
    said = deployed("rollout", "watch", "fraud")
    assert said.code == 1
    assert said.out == "version 2: aborted, 0 % of traffic, INCONCLUSIVE (last move: aborted by ada)\n"
    assert deployed("rollout", "watch", "fraud", "--json").json["phase"] == "aborted"


def test_without_a_rollout_one_line_says_so(deployed: Run) -> None:
    said = deployed("rollout", "watch", "fraud")
    assert (said.code, said.out, said.err) == (1, "", "headrace: model 'fraud' has had no rollout\n")


def test_to_stop_watching_stops_no_rollout(deployed: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed("rollout", "start", "fraud", 2)

    def interrupted(_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("lifecycle.cli.rollouts.describe", interrupted)
    said = deployed("rollout", "watch", "fraud")
    assert (said.code, "the rollout goes on" in said.err) == (130, True)
    assert deployed("rollout", "show", "fraud", "--json").json["active"]


def test_watching_goes_on_after_the_database_was_away(
    deployed: Run, live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed("rollout", "start", "fraud", 2)

    def rename(table: str, to: str) -> None:
        with closing(sqlite3.connect(tmp_path / "home" / "headrace.db")) as database:
            database.execute(f"ALTER TABLE {table} RENAME TO {to}")

    def back() -> None:
        rename("away", "rollouts")
        with Client(live.url, actor="ada") as client:
            client.abort("fraud")

    timer = Timer(1.0, back)

    def described(rollout: dict[str, Any]) -> str:
        if timer.ident is None:
            rename("rollouts", "away")
            timer.start()
        return describe(rollout)

    monkeypatch.setattr("lifecycle.cli.rollouts.describe", described)
    said = deployed("rollout", "watch", "fraud")
    timer.join()
    first, waits, last = said.out.splitlines()
    assert first.startswith("version 2: loading")
    assert waits.startswith("  waiting to look again: the registry's database cannot be used now")
    assert last.startswith("version 2: aborted")
    assert said.code == 1


def test_a_promotion_that_is_still_to_come_is_told_to_be(deployed: Run) -> None:
    deployed("rollout", "start", "fraud", 2)
    assert "it gets all traffic once every worker has it" in deployed("rollout", "promote", "fraud").out
