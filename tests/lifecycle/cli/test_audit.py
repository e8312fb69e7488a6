"""`headrace audit` against a server."""

import json
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.core.capture import blocks
from gateway.core.types import Role
from lifecycle.core.governance.checkpoint import Statement
from tests.lifecycle.cli.conftest import Run
from tests.lifecycle.desk import capture
from tests.lifecycle.live import Live


def test_the_ledger_tells_who_did_what(deployed: Run) -> None:
    out = deployed("audit", "fraud").out
    assert "version.registered" in out
    assert "ada" in out
    assert "cause registered by hand" in out
    assert "{" not in out
    assert "lineage" not in out, "of which the cause is told"
    assert len(deployed("audit", "--limit", 2, "--json").json) == 2


def test_the_past_is_told(deployed: Run) -> None:
    said = deployed("audit", "fraud", "--at", time.time())
    assert "1=100" in said.out
    assert deployed("audit", "fraud", "--at", "1999-01-01").code == 1
    assert "no model had traffic" in deployed("audit", "--at", "1999-01-01").out


def test_what_was_decided_lately_is_told(deployed: Run) -> None:
    assert "version.registered" in deployed("audit", "fraud", "--since", "1h").out
    assert deployed("audit", "--since", "0s", "--json").json == []
    kinds = [each["kind"] for each in deployed("audit", "fraud", "--kind", "version", "--json").json]
    assert kinds[0] == "version.registered"
    assert all(kind.startswith("version.") for kind in kinds)
    only = deployed("audit", "fraud", "--kind", "version", "--limit", 1, "--json").json
    assert [each["kind"] for each in only] == kinds[-1:]
    assert "neither a time nor a length" in deployed("audit", "--since", "lately").err
    assert "one at a time" in deployed("audit", "--since", "1h", "--at", "2026-01-01").err


def test_an_answer_is_traced(deployed: Run, live: Live) -> None:
    live.captures.append(blocks([capture("abc")]))
    said = deployed("audit", "--prediction", "abc")
    assert "fraud version 1 as champion" in said.out
    assert "1=100" in said.out
    assert "approved" in said.out
    assert "load PASS" in said.out
    assert deployed("audit", "--prediction", "abc", "--json").json["version"] == 1
    assert "not captured" in deployed("audit", "--prediction", "xyz").err
    assert deployed("audit", "fraud", "--prediction", "abc").code == 0
    said = deployed("audit", "other", "--prediction", "abc")
    assert (said.code, "given by 'fraud', not by 'other'" in said.err) == (1, True)


def test_a_name_that_is_misspelt_is_told(deployed: Run) -> None:
    said = deployed("audit", "verfy")
    assert (said.code, said.err) == (1, "headrace: there is no model 'verfy'\n")


def test_a_shadows_answer_is_shown_beside_it(deployed: Run, live: Live) -> None:
    copy = replace(capture("abc", version=2), role=Role.SHADOW, outputs={"y": np.array([[0.25, np.nan]])})
    live.captures.append(blocks([capture("abc"), copy]))
    assert "otherwise: y [0.25, null]" in deployed("audit", "--prediction", "abc").out
    (shadow,) = deployed("audit", "--prediction", "abc", "--json").json["shadows"]
    assert (shadow["version"], shadow["differs"]) == (2, True)


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


@pytest.mark.parametrize("away", [(), ("--home", "home")])
def test_verifying_finds_a_version_whose_submitter_was_edited(
    deployed: Run, live: Live, tmp_path: Path, away: tuple[str, ...]
) -> None:
    live.desk.checkpoints.add(Statement(live.store.head(), 1.0))
    where = [tmp_path / word if word == "home" else word for word in away]
    assert "3 models, versions, rollouts and keys are as it says" in deployed("audit", "verify", *where).out
    database = sqlite3.connect(tmp_path / "home" / "headrace.db")
    database.execute("UPDATE versions SET body = json_set(body, '$.submitter', 'mallory')")
    database.commit()
    database.close()
    said = deployed("audit", "verify", *where)
    assert (said.code, 'submitter is "' in said.out, '"mallory" in the registry' in said.err) == (
        1,
        True,
        True,
    )
    assert "the registry is not what the ledger says: version 1 of 'fraud'" in said.err


def test_a_home_is_verified_with_no_cluster(deployed: Run, live: Live, tmp_path: Path) -> None:
    store, checkpoints = live.store, live.desk.checkpoints
    checkpoints.add(Statement(store.head(), 1.0))
    key = deployed("audit", "key").out.strip()
    assert key == checkpoints.key
    home = tmp_path / "home"
    said = deployed("audit", "verify", "--home", home, "--key", key)
    assert (said.code, "vouch for it up to" in said.out) == (0, True)
    assert "not signed" in deployed("audit", "verify", "--home", home, "--key", "11" * 32).err

    database = sqlite3.connect(home / "headrace.db")
    database.execute("DELETE FROM records WHERE seq > 2")
    database.execute("UPDATE heads SET seq = 2, hash = (SELECT hash FROM records WHERE seq = 2)")
    database.commit()
    database.close()
    said = deployed("audit", "verify", "--home", home)
    assert (said.code, "missing from the end" in said.err) == (1, True)
    assert "missing from the end" in deployed("audit", "verify").err


def test_options_that_do_not_go_together_are_refused(alone: Run, tmp_path: Path) -> None:
    for words in (
        ("verify", "--at", 3),
        ("fraud", "--at", 3, "--prediction", "abc"),
        ("verify", "--key", "11"),
    ):
        assert alone("audit", *words).code == 1
    assert "audit verify" in alone("audit", "fraud", "--home", tmp_path).err
    assert "no ledger" in alone("audit", "verify", "--home", tmp_path / "nowhere").err
    assert "audit verify" in alone("audit", "fraud", "--file", __file__).err
    assert "`headrace audit export > " in alone("audit", "verify", "--file", __file__).err


def test_an_exported_ledger_is_verified_anywhere(
    deployed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifecycle.cli.ledger_file.PAGE", 2)
    exported = deployed("audit", "export").out
    records = [json.loads(line) for line in exported.splitlines()]
    assert records == deployed("audit", "export", "--json").json
    assert [record["seq"] for record in records] == list(range(1, len(records) + 1))
    kept = tmp_path / "ledger.jsonl"
    kept.write_text(exported)
    monkeypatch.setenv("HEADRACE_URL", "http://127.0.0.1:9")
    assert records[-1]["hash"] in deployed("audit", "verify", "--file", kept).out
    kept.write_text(exported.replace('"actor": "ada"', '"actor": "eve"', 1))
    said = deployed("audit", "verify", "--file", kept)
    assert (said.code, "record 1 was altered" in said.err) == (1, True)
