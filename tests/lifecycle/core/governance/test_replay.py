"""What must stand by the ledger, from records alone."""

from typing import Any

from gateway.core.keys import subject_digest
from lifecycle.core.governance.ledger import Head, Record, seal
from lifecycle.core.governance.replay import Replay, Said
from lifecycle.core.rollouts.plan import QUICK

Told = tuple[str, str, dict[str, Any]]

REGISTERED: Told = ("ann", "version.registered", {"version": 1, "digest": "d"})
SPLIT = {"champion": 1, "previous": 0, "weights": {"1": 100.0}, "shadows": [], "held": []}
SERVED: Told = ("ann", "traffic.set", SPLIT | {"stages": {"1": "serving"}})
START: Told = ("ann", "rollout.start", {"rollout": "r", "version": 2, "plan": QUICK.as_json()})
STANDING = {"phase": "step", "step": 1, "paused": False, "promoter": "", "overrides": False}


def chained(*said: Told) -> list[Record]:
    """On model `m`, but for keys."""
    records, head = [], Head()
    for actor, kind, detail in said:
        records.append(seal(head, 1.0, actor, kind, "" if kind.startswith("key") else "m", detail))
        head = records[-1].head
    return records


def replayed(*said: Told, since: int = 99) -> Replay:
    replay = Replay(since)
    for record in chained(*said):
        replay.take(record)
    return replay


def test_the_last_record_that_told_a_fact_is_named() -> None:
    rows = replayed(REGISTERED, SERVED, ("bob", "limits.set", SPLIT | {"limits": {"max_queue": 0}})).rows
    assert rows["version 1 of 'm'"]["stage"] == Said("serving", 2)
    assert rows["model 'm'"]["weights"] == Said({"1": 100.0}, 3)
    assert rows["model 'm'"]["limits"] == Said({"max_concurrency": 0, "max_queue": 0}, 3)
    assert rows["model 'm'"]["cache_mb"] == Said(0, 1)


def test_a_version_that_was_found_bad_has_the_evidence_of_its_rollout() -> None:
    bad = [{"name": "errors", "verdict": "FAIL", "reason": "", "numbers": {}}]
    told = SPLIT | {"rollout": "r", "version": 1, "action": {"rejects": True}, "findings": bad}
    rows = replayed(
        REGISTERED, ("controller", "rollout.roll_back", told | {"stages": {"1": "rejected"}})
    ).rows
    assert rows["version 1 of 'm'"]["stage"] == Said("rejected", 2)
    assert rows["version 1 of 'm'"]["evidence"] == Said(bad, 2)


def test_a_rollouts_champion_is_the_one_before_it_whatever_serves_then() -> None:
    start = ("ann", "rollout.start", START[2] | {"champion": 1, "previous": 0, "standing": STANDING})
    promoted = {"rollout": "r", "version": 2, "standing": STANDING | {"phase": "bake"}, "stages": {}}
    rollout = replayed(start, ("c", "rollout.promote", SPLIT | {"champion": 2} | promoted)).rows[
        "rollout r of 'm'"
    ]
    assert (rollout["champion"], rollout["phase"]) == (Said(1, 1), Said("bake", 2))
    assert rollout["plan"] == Said(QUICK.as_json(), 1)


def test_what_older_releases_changed_without_telling_is_forgotten() -> None:
    older = {name: value for name, value in SPLIT.items() if name != "previous"}
    rows = replayed(REGISTERED, ("ann", "traffic.set", older)).rows
    assert "previous" not in rows["model 'm'"]
    assert "stage" not in rows["version 1 of 'm'"]
    assert "recipe" not in rows["model 'm'"]
    rollout = replayed(START, ("controller", "rollout.finish", older | {"rollout": "r"})).rows[
        "rollout r of 'm'"
    ]
    assert rollout == {"version": Said(2, 1), "started_by": Said("ann", 1)}


def test_what_was_forgotten_is_known_again_when_a_record_tells_it() -> None:
    older = {name: value for name, value in SPLIT.items() if name != "previous"}
    rows = replayed(REGISTERED, ("ann", "traffic.set", older), SERVED).rows
    assert rows["model 'm'"]["previous"] == Said(0, 3)
    assert rows["version 1 of 'm'"]["stage"] == Said("serving", 3)


def test_approvals_that_older_releases_kept_or_not_are_unknown() -> None:
    approved = ("bob", "version.approved", {"version": 1, "stage": "approved"})
    again = ("ann", "version.validated", {"version": 1})
    assert "approvals" not in replayed(REGISTERED, approved, again).rows["version 1 of 'm'"]
    judged = ("ann", "version.validated", {"version": 1, "findings": []})
    assert replayed(REGISTERED, approved, judged).rows["version 1 of 'm'"]["approvals"] == Said([], 3)


def test_a_certificates_key_is_known_by_its_subject() -> None:
    made = {"key": "k", "role": "viewer", "models": [], "expires_at": 0.0, "subject": "CN=k"}
    rows = replayed(("ann", "key.created", made), ("ann", "key.revoked", {"key": "k"})).rows
    assert rows["key 'k'"]["digest"] == Said(subject_digest("CN=k"), 1)
    assert rows["key 'k'"]["revoked"] == Said(True, 2)


def test_rows_of_later_records_are_moving() -> None:
    assert replayed(REGISTERED, SERVED, since=1).moving == {"model 'm'", "version 1 of 'm'"}


def test_a_part_is_no_account_of_what_was_never_told_to_begin() -> None:
    assert replayed(SERVED, ("ann", "alias.set", {"alias": "a", "version": 1})).rows == {}
