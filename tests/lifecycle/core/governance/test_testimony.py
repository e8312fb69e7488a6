"""What records say of versions and keys, held against rows."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from gateway.core.keys import Key, KeyRole
from lifecycle.core.governance.ledger import Head, Record, seal
from lifecycle.core.governance.testimony import Comparison, compare
from lifecycle.core.stages import Stage
from lifecycle.core.version import Approval, Version
from tests.lifecycle.world import version

ROW = replace(version(4, Stage.REGISTERED), submitter="ann", approvals=())
REGISTERED = (
    "ann",
    "version.registered",
    {"version": 4, "digest": ROW.digest, "lineage": asdict(ROW.lineage)},
)
VALIDATED = ("ann", "version.validated", {"version": 4, "findings": []})
APPROVED = ("bob", "version.approved", {"version": 4, "role": "approver"})
BOB = Approval("bob", 50.0, "approver")
KEY = Key("ann", "digest", KeyRole.DEPLOYER, ("eu-*",), owner="ann-smith")
CREATED = (
    "boss",
    "key.created",
    {"key": "ann", "role": "deployer", "models": ["eu-*"], "expires_at": 0.0, "owner": "ann-smith"},
)
REVOKED = ("boss", "key.revoked", {"key": "ann"})

Said = tuple[str, str, dict[str, Any]]


def chained(*said: Said) -> list[Record]:
    records, head = [], Head()
    for actor, kind, detail in said:
        records.append(seal(head, 1.0, actor, kind, "" if kind.startswith("key") else "m", detail))
        head = records[-1].head
    return records


def held(said: tuple[Said, ...], *rows: Version | Key, since: int = 99) -> Comparison:
    versions = [row for row in rows if isinstance(row, Version)]
    keys = [row for row in rows if isinstance(row, Key)]
    return compare(chained(*said), versions, keys, since)


@pytest.mark.parametrize(
    ("said", "row"),
    [
        ((REGISTERED,), ROW),
        ((REGISTERED, VALIDATED, APPROVED), replace(ROW, approvals=(BOB,))),
        (
            (REGISTERED, VALIDATED, APPROVED, ("eve", "version.rejected", {"version": 4})),
            replace(ROW, approvals=(BOB,)),
        ),
        ((REGISTERED, VALIDATED, APPROVED, VALIDATED), ROW),
        ((CREATED,), KEY),
        ((CREATED, REVOKED), replace(KEY, revoked_at=7.0)),
    ],
)
def test_what_headrace_wrote_is_what_it_said(said: tuple[Said, ...], row: Version | Key) -> None:
    assert held(said, row) == Comparison(1)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            replace(ROW, approvals=(BOB,), submitter="eve"),
            'version 4 of \'m\': submitter is "ann" in the ledger, "eve" in the registry',
        ),
        (
            replace(ROW, approvals=(BOB,), digest="sha256:bad"),
            f'version 4 of \'m\': digest is "{ROW.digest}" in the ledger, "sha256:bad" in the registry',
        ),
        (
            ROW,
            "version 4 of 'm': approvals is "
            '[{"by": "bob", "role": "approver", "comment": ""}] in the ledger, [] in the registry',
        ),
        (
            replace(KEY, role=KeyRole.ADMIN),
            'key \'ann\': role is "deployer" in the ledger, "admin" in the registry',
        ),
        (
            replace(KEY, owner=""),
            'key \'ann\': owner is "ann-smith" in the ledger, "" in the registry',
        ),
        (replace(KEY, models=()), "key 'ann': models is [\"eu-*\"] in the ledger, [] in the registry"),
    ],
)
def test_an_edit_is_named_with_both_values(row: Version | Key, reason: str) -> None:
    said = (REGISTERED, VALIDATED, APPROVED) if isinstance(row, Version) else (CREATED,)
    assert [str(each) for each in held(said, row).differences] == [reason]


def test_an_edited_lineage_and_a_key_that_lives_again() -> None:
    found = held((REGISTERED, CREATED, REVOKED), replace(ROW, lineage=replace(ROW.lineage, cause="x")), KEY)
    assert [(each.row, each.field) for each in found.differences] == [
        ("key 'ann'", "revoked"),
        ("version 4 of 'm'", "lineage"),
    ]


def test_rows_that_were_added_or_lost_are_named() -> None:
    assert [str(each) for each in held((REGISTERED,), KEY).differences] == [
        "key 'ann': the ledger knows nothing of it",
        "version 4 of 'm': the registry has lost it",
    ]


def test_an_edit_stands_out_after_decisions_on_top_of_it() -> None:
    """Headrace writes all of a row again with what was decided, forged as it may be."""
    rows = replace(ROW, submitter="eve", approvals=(BOB,))
    assert [each.field for each in held((REGISTERED, VALIDATED, APPROVED), rows).differences] == ["submitter"]


def test_what_older_records_do_not_tell_is_counted() -> None:
    old = ("ann", "version.registered", {"version": 4, "digest": ROW.digest, "cause": "registered by hand"})
    edited = replace(ROW, lineage=replace(ROW.lineage, cause="x"))
    assert held((old,), edited) == Comparison(1, 1)
    assert [each.field for each in held((old,), replace(edited, submitter="eve")).differences] == [
        "submitter"
    ]
    again = ("ann", "version.validated", {"version": 4})
    assert held((REGISTERED, again, APPROVED, again), ROW) == Comparison(1, 1), (
        "some kept approvals, some not"
    )


def test_a_row_that_is_written_while_it_is_compared_is_left_out() -> None:
    assert held((REGISTERED, VALIDATED, APPROVED), ROW, since=2) == Comparison(1)
    assert held((REGISTERED,), since=0) == Comparison()
