"""The ledger shows every edit, deletion, reordering and, with a known head, every lost end."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.core.governance.ledger import GENESIS, Head, Record, canonical, seal, verify
from tests.lifecycle.core.chain import chain


def test_a_ledger_as_written_is_whole() -> None:
    records = chain(5)
    assert records[0].prev_hash == GENESIS
    assert verify(records, records[-1].head) is None
    assert verify([], Head()) is None


def test_records_survive_json() -> None:
    records = [Record.from_json(json.loads(json.dumps(record.as_json()))) for record in chain(3)]
    assert verify(records) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda record: replace(record, at=1.0),
        lambda record: replace(record, actor="eve"),
        lambda record: replace(record, kind="x"),
        lambda record: replace(record, model="other"),
        lambda record: replace(record, detail={"weights": {"1": 100.0}}),
        lambda record: replace(record, hash="0" * 64),
    ],
)
def test_an_edit_names_the_record(change: Callable[[Record], Record]) -> None:
    records = chain(5)
    records[2] = change(records[2])
    problem = verify(records)
    assert problem is not None
    assert problem.seq == 3


def test_an_edit_that_was_sealed_anew_shows_by_what_follows() -> None:
    records = chain(5)
    records[2] = seal(records[1].head, 102.0, "eve", "traffic.set", "m", {})
    problem = verify(records)
    assert problem is not None
    assert (problem.seq, "sealed anew" in problem.reason) == (3, True)


def test_a_record_that_was_given_another_place_and_sealed_anew_is_named_itself() -> None:
    records = chain(5)
    records[2] = seal(Head(2, "f" * 64), 102.0, "eve", "traffic.set", "m", {})
    problem = verify(records)
    assert problem is not None
    assert problem.seq == 3


def test_a_record_that_a_head_vouches_for_is_not_to_blame() -> None:
    records = chain(5)
    after = seal(Head(3, "f" * 64), 103.0, "eve", "traffic.set", "m", {})
    records[3:] = [after, seal(after.head, 104.0, "eve", "traffic.set", "m", {})]
    problem = verify(records, records[2].head)
    assert problem is not None
    assert problem.seq == 4


def test_a_deletion_names_the_missing_record() -> None:
    records = chain(5)
    del records[1]
    problem = verify(records)
    assert problem is not None
    assert (problem.seq, "missing" in problem.reason) == (2, True)


def test_a_lost_end_shows_against_a_known_head() -> None:
    records = chain(5)
    assert verify(records[:3]) is None
    problem = verify(records[:3], records[-1].head)
    assert problem is not None
    assert problem.seq == 4


def test_a_rewritten_ledger_shows_against_a_known_head() -> None:
    other = [seal(Head(), 1.0, "eve", "traffic.set", "m", {})]
    problem = verify(other, chain(1)[0].head)
    assert problem is not None
    assert problem.seq == 1


def test_rewritten_records_are_those_behind_the_last_head_that_stands() -> None:
    records = chain(6)
    anew = records[:3]
    for record in records[3:]:
        anew.append(seal(anew[-1].head, record.at, "eve", record.kind, record.model, record.detail))
    problem = verify(anew, records[5].head, records[1].head)
    assert problem is not None
    assert (problem.seq, "3 to 6" in problem.reason) == (3, True)


def test_a_head_of_no_records_must_be_the_beginning() -> None:
    assert verify([], Head(0, "f" * 64)) is not None


def test_a_page_is_verified_from_the_record_before_it() -> None:
    records = chain(5)
    assert verify(records[2:], start=records[1].head) is None


@given(st.permutations(range(6)))
def test_only_the_written_order_is_whole(order: list[int]) -> None:
    records = chain(6)
    assert (verify([records[i] for i in order]) is None) == (order == sorted(order))


def test_canonical_text_is_one_text() -> None:
    assert canonical({"b": 1, "a": [1.5, None]}) == canonical(json.loads('{"a": [1.5, null], "b": 1}'))
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": float("nan")})
