"""What a checkpoint says, when one is due, and that with one no change of a ledger goes unseen."""

from dataclasses import replace
from typing import Any

import pytest

from lifecycle.core.governance.checkpoint import Checkpoint, Rhythm, Statement
from lifecycle.core.governance.ledger import Head, Record, seal, verify
from tests.lifecycle.core.chain import chain

RECORDS = chain(50)
HEADS = (RECORDS[24].head, RECORDS[-1].head)
EDITS: dict[str, Any] = {
    "seq": 99,
    "at": float("inf"),
    "actor": "eve",
    "kind": "x",
    "model": "other",
    "detail": {},
    "prev_hash": "f" * 64,
    "hash": "0" * 64,
}


def found(records: list[Record]) -> int:
    problem = verify(records, *HEADS)
    return problem.seq if problem else 0


def anew(records: list[Record], start: int) -> list[Record]:
    """The same records, each sealed again from `start` on, as a thorough forger would."""
    made = records[:start]
    for old in records[start:]:
        made.append(
            seal(made[-1].head if made else Head(), old.at, old.actor, old.kind, old.model, old.detail)
        )
    return made


@pytest.mark.parametrize("field", sorted(EDITS))
def test_every_edit_of_every_record_is_named(field: str) -> None:
    for i, record in enumerate(RECORDS):
        edited = [*RECORDS[:i], replace(record, **{field: EDITS[field]}), *RECORDS[i + 1 :]]
        # A record that took another's number is missing under its own.
        assert found(edited) == i + 1


def test_every_deletion_and_every_swap_is_named() -> None:
    for i in range(50):
        assert found([*RECORDS[:i], *RECORDS[i + 1 :]]) == i + 1
    for i in range(49):
        swapped = [*RECORDS[:i], RECORDS[i + 1], RECORDS[i], *RECORDS[i + 2 :]]
        assert found(swapped) == i + 1


def test_every_truncation_is_named() -> None:
    assert [found(RECORDS[:length]) for length in range(50)] == list(range(1, 51))


def test_every_rewrite_is_found_behind_the_last_checkpoint_that_stands() -> None:
    for i in range(50):
        edited = [*RECORDS[:i], replace(RECORDS[i], actor="eve"), *RECORDS[i + 1 :]]
        assert found(anew(edited, i)) == (1 if i < 25 else 26)
        shorter = anew([*RECORDS[:i], *RECORDS[i + 1 :]], i)
        assert found(shorter) != 0


def test_a_checkpoint_survives_json() -> None:
    checkpoint = Checkpoint(Statement(HEADS[0], 12.5), "ab")
    assert Checkpoint.from_json(checkpoint.as_json()) == checkpoint
    with pytest.raises(KeyError):
        Checkpoint.from_json({"seq": 1})


def test_statements_that_differ_are_signed_as_different_bytes() -> None:
    said = Statement(HEADS[0], 12.5)
    others = replace(said, at=12.6), replace(said, head=HEADS[1])
    assert said.message() not in {other.message() for other in others}


def test_a_checkpoint_is_due_by_count_or_by_time_and_never_without_news() -> None:
    rhythm, last = Rhythm(records=10, seconds=60.0), Statement(Head(5, "a"), 100.0)
    assert not rhythm.due(last, Head(5, "a"), 9e9)
    assert not rhythm.due(last, Head(14, "b"), 159.0)
    assert rhythm.due(last, Head(15, "b"), 101.0)
    assert rhythm.due(last, Head(6, "b"), 160.0)
