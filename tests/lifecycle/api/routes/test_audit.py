"""The ledger over HTTP."""

import sqlite3
import time
from pathlib import Path

from gateway.core.capture import blocks
from lifecycle.api.routes.audit import newest
from lifecycle.core.governance.checkpoint import Statement
from lifecycle.ports import Entry
from tests.lifecycle.api.conftest import Admin
from tests.lifecycle.desk import capture


async def test_records_are_the_newest_or_those_behind_a_number(admin: Admin) -> None:
    await admin.deployed(versions=2)
    everything = (await admin.http.get("/v1/audit")).json()["records"]
    tail = (await admin.http.get("/v1/audit", params={"limit": 2})).json()["records"]
    behind = (await admin.http.get("/v1/audit", params={"after": 1, "limit": 2})).json()["records"]

    assert [record["seq"] for record in everything] == list(range(1, len(everything) + 1))
    assert tail == everything[-2:]
    assert behind == everything[1:3]
    assert everything[0]["kind"] == "version.registered"


async def test_old_records_of_a_quiet_model_are_found(admin: Admin) -> None:
    admin.store.commit(Entry("ann", "quiet.first", "quiet"))
    for number in range(50):
        admin.store.commit(Entry("ann", "busy", "busy", {"n": number}))
    assert [record.kind for record in newest(admin.store, "quiet", 3)] == ["quiet.first"]
    assert [record.detail["n"] for record in newest(admin.store, "busy", 2)] == [48, 49]


async def test_records_of_a_kind_are_found_behind_any_number_of_others(admin: Admin) -> None:
    await admin.deployed()
    for number in range(1100):
        admin.store.commit(Entry("labels", "labels.received", "fraud", {"n": number}))
    asked: dict[str, str | int] = {"model": "fraud", "kind": "version", "limit": 2}
    newest_two = (await admin.http.get("/v1/audit", params=asked)).json()["records"]
    first_two = (await admin.http.get("/v1/audit", params=asked | {"after": 0})).json()["records"]
    assert [record["kind"] for record in newest_two] == ["version.validated", "version.approved"]
    assert [record["kind"] for record in first_two] == ["version.registered", "version.validated"]


async def test_the_past_can_be_asked(admin: Admin) -> None:
    await admin.deployed(versions=2)
    then = time.time()
    await admin.http.put("/v1/models/fraud/traffic", json={"weights": {"2": 100}})
    answer = (await admin.http.get("/v1/audit/at", params={"model": "fraud", "time": then})).json()
    assert [(split["champion"], split["weights"]) for split in answer["splits"]] == [(1, {"1": 100.0})]
    everything = (await admin.http.get("/v1/audit/at", params={"time": then})).json()
    assert everything == answer
    assert (await admin.http.get("/v1/audit/at", params={"time": 1})).json() == {"splits": []}


async def test_a_whole_ledger_is_intact_and_an_edited_one_is_not(admin: Admin, tmp_path: Path) -> None:
    await admin.deployed()
    before = (await admin.http.get("/v1/audit/verify")).json()
    with sqlite3.connect(tmp_path / "headrace.db") as database:
        database.execute("UPDATE records SET actor = 'mallory' WHERE seq = 2")
    database.close()
    after = (await admin.http.get("/v1/audit/verify")).json()

    assert before["ok"]
    assert before["records"] == before["seq"] > 0
    assert not after["ok"]
    assert "record 2" in after["reason"]


async def test_a_version_that_was_edited_in_the_database_is_named(admin: Admin, tmp_path: Path) -> None:
    await admin.deployed(versions=2)
    await admin.http.post("/v1/keys", json={"name": "ann", "role": "viewer"})
    before = (await admin.http.get("/v1/audit/verify")).json()
    assert (before["ok"], before["rows"], before["partial"], before["differences"]) == (True, 4, 0, [])
    with sqlite3.connect(tmp_path / "headrace.db") as database:
        database.execute("UPDATE versions SET body = json_set(body, '$.submitter', 'eve') WHERE number = 2")
        database.execute("UPDATE keys SET body = json_set(body, '$.role', 'admin')")
    database.close()
    after = (await admin.http.get("/v1/audit/verify")).json()

    assert not after["ok"]
    named = [(each["row"], each["field"], each["registry"]) for each in after["differences"]]
    assert named == [("key 'ann'", "role", "admin"), ("version 2 of 'fraud'", "submitter", "eve")]
    assert after["reason"] == (
        "the registry is not what the ledger says: "
        f'key \'ann\': role is "viewer" by record {before["seq"]}, "admin" in the registry, and 1 more'
    )


async def test_an_answer_is_accounted_for(admin: Admin) -> None:
    await admin.deployed(versions=2)
    await admin.http.post("/v1/models/fraud/versions/2/deploy")
    admin.captures.append(blocks([capture("abc", version=2)]))
    answer = (await admin.http.get("/v1/audit/predictions/abc")).json()
    kinds = [record["kind"] for record in answer["decisions"]]
    assert kinds == ["version.registered", "version.validated", "version.approved"]
    assert {record["detail"]["version"] for record in answer["decisions"]} == {2}
    assert ("load", "PASS") in {(gate["name"], gate["verdict"]) for gate in answer["made_by"]["evidence"]}
    assert answer["made_by"]["lineage"]["cause"] == "registered by hand"
    assert answer["rollout"]["plan"] == "quick"
    assert answer["split"]["champion"] == 1

    admin.captures.append(blocks([capture("def")]))
    assert (await admin.http.get("/v1/audit/predictions/def")).json()["rollout"] is None
    admin.captures.append(blocks([capture("ghi", version=9)]))
    assert (await admin.http.get("/v1/audit/predictions/ghi")).status_code == 404


async def test_checkpoints_are_told_and_so_is_their_key(admin: Admin) -> None:
    await admin.deployed()
    admin.desk.checkpoints.add(Statement(admin.store.head(), 1.0))
    answer = (await admin.http.get("/v1/audit/verify")).json()
    assert (answer["ok"], answer["checkpoints"], answer["sealed"]) == (True, 1, answer["seq"])
    assert len((await admin.http.get("/v1/audit/key")).json()["key"]) == 64


async def test_nobody_is_told_what_will_serve(admin: Admin) -> None:
    await admin.deployed()
    for time_to_come in ("2999-01-01T00:00:00Z", "1e300"):
        answer = await admin.http.get("/v1/audit/at", params={"model": "fraud", "time": time_to_come})
        assert answer.status_code == 400
        assert "still to come: it is 20" in answer.json()["error"]["message"]
