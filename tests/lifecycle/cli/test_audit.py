"""`headrace audit` against a server."""

import sqlite3
from pathlib import Path

from tests.lifecycle.cli.conftest import Run
from tests.lifecycle.desk import capture
from tests.lifecycle.live import Live


def test_the_ledger_tells_who_did_what(deployed: Run) -> None:
    out = deployed("audit", "fraud").out
    assert "version.registered" in out
    assert "ada" in out
    assert len(deployed("audit", "--limit", 2, "--json").json) == 2


def test_the_past_is_told(deployed: Run) -> None:
    said = deployed("audit", "fraud", "--at", "2999-01-01")
    assert "1=100" in said.out
    assert deployed("audit", "fraud", "--at", "1999-01-01").code == 1
    assert "NAME" in deployed("audit", "--at", "1999-01-01").err


def test_an_answer_is_traced(deployed: Run, live: Live) -> None:
    live.captures.append([capture("abc")])
    said = deployed("audit", "--prediction", "abc")
    assert "fraud version 1 as champion" in said.out
    assert "1=100" in said.out
    assert deployed("audit", "--prediction", "abc", "--json").json["version"] == 1
    assert "not captured" in deployed("audit", "--prediction", "xyz").err


def test_verifying_finds_an_edit(deployed: Run, tmp_path: Path) -> None:
    assert "the ledger is whole" in deployed("audit", "verify").out
    database = sqlite3.connect(tmp_path / "home" / "headrace.db")
    database.execute("UPDATE records SET actor = 'mallory' WHERE seq = 1")
    database.commit()
    database.close()
    said = deployed("audit", "verify")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "record 1" in said.err
    assert not deployed("audit", "verify", "--json").json["ok"]
