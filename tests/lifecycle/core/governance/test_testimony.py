"""What records say, held against rows."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from gateway.core.keys import Key, KeyRole
from lifecycle.core.governance.facts import rows
from lifecycle.core.governance.testimony import Comparison, compare
from lifecycle.core.stages import Stage
from lifecycle.core.version import Approval, Model, Version
from tests.lifecycle.core.governance.test_replay import Told, chained
from tests.lifecycle.world import version

MODEL = Model("m", 1, 0.0)
ROW = replace(version(4, Stage.REGISTERED), submitter="ann", approvals=())
APPROVED_ROW = replace(ROW, stage=Stage.APPROVED, approvals=(Approval("bob", 50.0, "approver"),))
LINEAGE = asdict(ROW.lineage)
SETTINGS = {"recipe": "", "placement": "auto"}
MADE = {"version": 4, "digest": ROW.digest, "lineage": LINEAGE, "settings": SETTINGS}
REGISTERED = ("ann", "version.registered", MADE)
VALIDATED = ("ann", "version.validated", {"version": 4, "stage": "validated", "findings": []})
APPROVED = ("bob", "version.approved", {"version": 4, "stage": "approved", "role": "approver"})
KEY = Key("ann", "digest", KeyRole.DEPLOYER, ("eu-*",), owner="ann-smith")
ENDS = {"digest": "digest", "expires_at": 0.0, "owner": "ann-smith"}
CREATED = ("boss", "key.created", {"key": "ann", "role": "deployer", "models": ["eu-*"], **ENDS})
REVOKED = ("boss", "key.revoked", {"key": "ann"})
ALL = (REGISTERED, VALIDATED, APPROVED, CREATED)


def held(said: tuple[Told, ...], *each: Version | Key, models: tuple[Model, ...] = (MODEL,)) -> Comparison:
    versions = [row for row in each if isinstance(row, Version)]
    keys = [row for row in each if isinstance(row, Key)]
    return compare(chained(*said), rows(models, versions, (), keys), 99)


def test_what_headrace_wrote_is_what_it_said() -> None:
    assert held(ALL, APPROVED_ROW, KEY) == Comparison(3)
    assert held((*ALL, REVOKED), APPROVED_ROW, replace(KEY, revoked_at=7.0)) == Comparison(3)


@pytest.mark.parametrize(
    ("edited", "reason"),
    [
        ({"submitter": "eve"}, 'submitter is "ann" by record 1, "eve" in the registry'),
        ({"digest": "sha256:bad"}, f'digest is "{ROW.digest}" by record 1, "sha256:bad" in the registry'),
        ({"stage": Stage.SERVING}, 'stage is "approved" by record 3, "serving" in the registry'),
        (
            {"approvals": ()},
            'approvals is [{"by": "bob", "role": "approver", "comment": ""}] by record 3, [] in the registry',
        ),
    ],
)
def test_an_edit_is_named_with_both_values_and_the_record(edited: dict[str, Any], reason: str) -> None:
    """Also after decisions on top of it: all of a row is written again with them, forged as it may be."""
    found = held(ALL, replace(APPROVED_ROW, **edited), KEY)
    assert [str(each) for each in found.differences] == [f"version 4 of 'm': {reason}"]


def test_what_is_long_is_told_in_short_in_the_sentence_only() -> None:
    described = replace(ROW, description=replace(ROW.description, limitations="x" * 5_000))
    (found,) = held((REGISTERED,), described).differences
    assert len(str(found)) < 700
    assert found.registry["limitations"] == "x" * 5_000


def test_rows_that_were_added_or_lost_are_named() -> None:
    assert [str(each) for each in held((REGISTERED,), KEY).differences] == [
        "key 'ann': the ledger knows nothing of it",
        "version 4 of 'm': record 1 tells of it, the registry has lost it",
    ]
    (lost,) = held((REGISTERED,), ROW, models=()).differences
    assert lost.row == "model 'm'"


def test_what_older_records_do_not_tell_is_counted() -> None:
    old = ("ann", "version.registered", {"version": 4, "digest": ROW.digest, "cause": "registered by hand"})
    edited = replace(ROW, lineage=replace(ROW.lineage, cause="x"))
    assert held((old,), edited) == Comparison(2, 2)
    found = held((old,), replace(edited, submitter="eve"), models=(replace(MODEL, recipe="a:b"),))
    assert [each.field for each in found.differences] == ["submitter"]


def test_a_row_that_is_written_while_it_is_compared_is_left_out() -> None:
    each = rows((MODEL,), (ROW,), (), ())
    assert compare(chained(REGISTERED, VALIDATED, APPROVED), each, 2) == Comparison(2)
    assert compare(chained(REGISTERED), {}, 0) == Comparison()
