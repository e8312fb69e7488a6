"""What rows say, as records tell of it."""

from dataclasses import replace

from gateway.core.keys import Key, KeyRole
from lifecycle.core.governance.facts import rows
from lifecycle.core.rollouts.plan import QUICK
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Approval, Model
from tests.lifecycle.world import version


def test_every_kind_of_row_has_a_name_of_its_own() -> None:
    rollout = Rollout("r", "m", 2, 1, QUICK, 1.0, "ann")
    key = Key("ann", "d", KeyRole.VIEWER)
    found = rows([Model("m", 1, 0.0)], [version(1), version(2)], [rollout], [key])
    assert list(found) == [
        "model 'm'",
        "version 1 of 'm'",
        "version 2 of 'm'",
        "rollout r of 'm'",
        "key 'ann'",
    ]


def test_what_has_no_record_is_no_fact() -> None:
    """A model's revision, when an approval or a revocation was, what a rollout has seen so far."""
    one, other = Model("m", 1, 0.0, champion=1), Model("m", 9, 5.0, champion=1)
    assert rows([one], (), (), ()) == rows([other], (), (), ())
    key = Key("ann", "d", KeyRole.VIEWER, revoked_at=7.0)
    assert rows((), (), (), [key])["key 'ann'"]["revoked"] is True
    approved = replace(version(1), approvals=(Approval("bob", 7.0, "approver", "fine"),))
    (told,) = rows((), [approved], (), ()).values()
    assert told["approvals"] == [{"by": "bob", "role": "approver", "comment": "fine"}]
