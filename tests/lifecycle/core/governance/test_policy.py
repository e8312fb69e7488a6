"""Who must approve, and which gates must pass."""

import pytest

from gateway.core.keys import KeyRole
from lifecycle.core.governance.policy import AUTOMATIC, Policy
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Approval

A, ADMIN = KeyRole.APPROVER, KeyRole.ADMIN


def given(*roles: str) -> list[Approval]:
    return [Approval(f"person{i}", 1.0, role) for i, role in enumerate(roles)]


@pytest.mark.parametrize(
    ("asked", "roles", "missing"),
    [
        ({}, (), ""),
        ({A: 2}, ("approver",), "1 of role approver"),
        ({A: 2}, ("approver", "admin"), ""),
        ({A: 1, ADMIN: 1}, ("approver", "approver"), "1 of role admin"),
        ({A: 1, ADMIN: 1}, ("admin",), "1 of role approver"),
        ({A: 1, ADMIN: 1}, ("admin", "admin"), ""),
        ({A: 1}, ("deployer",), "1 of role approver"),
        ({ADMIN: 1}, ("",), ""),
    ],
)
def test_a_higher_role_counts_for_a_lower_one(
    asked: dict[KeyRole, int], roles: tuple[str, ...], missing: str
) -> None:
    assert Policy(asked).missing(given(*roles)) == missing


def test_without_approvals_the_policy_approves() -> None:
    assert AUTOMATIC.automatic
    assert Policy({A: 0}).automatic
    assert not Policy({A: 1}).automatic


def test_a_required_gate_must_pass() -> None:
    policy = Policy(gates=frozenset({"accuracy", "cost"}))
    passed = [Finding("accuracy", Verdict.PASS, "fine"), Finding("cost", Verdict.PASS, "fine")]
    assert policy.unmet(passed) is None
    unknown = policy.unmet([passed[1], Finding("accuracy", Verdict.INCONCLUSIVE, "there are no labels")])
    assert unknown is not None
    assert (unknown.name, unknown.reason) == ("accuracy", "there are no labels")
    assert policy.unmet(passed[:1]) is not None
