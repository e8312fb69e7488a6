"""What a model asks for before one of its versions may serve."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.core.keys import KeyRole
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Approval

_LADDER = tuple(KeyRole)


@dataclass(frozen=True, slots=True)
class Policy:
    """One model's rules.

    Args:
        approvals: how many people must approve, by the least role they may have; a higher role also counts
            for a lower one. Without any a version that passes its gates is approved at once.
        gates: gates that must pass; elsewhere not to know is not to fail.
        signed: whether a package must be signed by somebody who is trusted.
        trusted: files of the public keys and certificates that are, in PEM.
        key: file of the private key that retraining signs its packages with; empty: it signs none.
    """

    approvals: Mapping[KeyRole, int] = field(default_factory=dict)
    gates: frozenset[str] = frozenset()
    signed: bool = False
    trusted: tuple[str, ...] = ()
    key: str = ""

    @property
    def automatic(self) -> bool:
        """Whether nobody has to approve."""
        return not any(self.approvals.values())

    def missing(self, approvals: Sequence[Approval]) -> str:
        """Whose approval is still missing, e.g. `2 of role approver`; empty when there are enough."""
        given = [_rank(approval) for approval in approvals]
        for rank in reversed(range(len(_LADDER))):
            # Everybody of this rank and above counts, for what is asked of this rank and above.
            asked = sum(self.approvals.get(role, 0) for role in _LADDER[rank:])
            if (lacking := asked - sum(own >= rank for own in given)) > 0:
                return f"{lacking} of role {_LADDER[rank]}"
        return ""

    def unmet(self, findings: Iterable[Finding]) -> Finding | None:
        """The first gate that is required and did not pass."""
        found = {finding.name: finding for finding in findings}
        for gate in sorted(self.gates):
            finding = found.get(gate, Finding(gate, Verdict.INCONCLUSIVE, "it was not judged"))
            if finding.verdict is not Verdict.PASS:
                return finding
        return None


AUTOMATIC = Policy()


def _rank(approval: Approval) -> int:
    # Where keys are off everybody may do everything.
    return _LADDER.index(KeyRole(approval.role)) if approval.role else len(_LADDER) - 1
