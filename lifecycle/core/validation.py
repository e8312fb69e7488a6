"""The gates a version must pass before it may serve. Pure: it judges what a sandbox measured.

Must never open an artifact: everything known about one arrives here as an `Inspection`. One file per gate
is in `gates/`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.core.ranges import OutputRange
from gateway.core.signature import Signature
from lifecycle.core.gates.accuracy import accuracy
from lifecycle.core.gates.batching import batching
from lifecycle.core.gates.calibration import calibration
from lifecycle.core.gates.compatible import compatible
from lifecycle.core.gates.cost import Budget, cost
from lifecycle.core.gates.finite import finite_outputs
from lifecycle.core.gates.golden import golden
from lifecycle.core.gates.ranges import output_ranges
from lifecycle.core.gates.robust import robust
from lifecycle.core.gates.slices import slices
from lifecycle.core.inspection import GOLDEN, HOLDOUT, NEWEST, REFERENCE, Answers, Inspection
from lifecycle.core.performance.yardstick import Yardstick
from lifecycle.core.verdict import Finding, Verdict

INSIDE = ("structure", "load", "warm_up", "golden", "finite_outputs", "robustness", "batching")
"""Gates that can fail inside the sandbox's process."""
GATES = (
    "structure",
    "load",
    "warm_up",
    "signature",
    "golden",
    "finite_outputs",
    "output_ranges",
    "robustness",
    "batching",
    "accuracy",
    "newest",
    "holdout",
    "slices",
    "calibration",
    "cost",
)
"""In the order they are judged."""


@dataclass(frozen=True, slots=True)
class Standards:
    """What validation asks for.

    Args:
        budget: what a version may cost at most.
        tolerance: how far a golden or batched number may be off, relative and absolute.
    """

    budget: Budget = field(default_factory=Budget)
    tolerance: float = 1e-4


def stopped(findings: tuple[Finding, ...]) -> Finding | None:
    """The first finding that keeps a version from serving. Too little data to judge does not."""
    return next((f for f in findings if f.verdict in (Verdict.FAIL, Verdict.ERROR)), None)


def judge(
    seen: Inspection,
    champion: Signature | None,
    standards: Standards,
    *,
    ranges: Sequence[OutputRange] = (),
    change_allowed: bool = False,
    yardstick: Yardstick | None = None,
) -> tuple[Finding, ...]:
    """All gates over a candidate, in the order of `GATES`; only those inside if one of them stops it.

    Args:
        champion: the signature that callers rely on; None for a model's first version.
        ranges: what the candidate's outputs are declared to lie in.
        change_allowed: somebody has said that the signature changes on purpose.
        yardstick: what errors beside the champion's are parts of, by its reference; None without one.
    """
    if stopped(seen.findings) or seen.signature is None:
        return seen.findings
    sets = {name: seen.sets.get(name, Answers()) for name in (REFERENCE, GOLDEN, NEWEST, HOLDOUT)}
    # The broadest evidence there is: live rows before frozen ones before the version's own.
    compared = [answers for answers in (sets[NEWEST], sets[HOLDOUT], sets[REFERENCE]) if answers.beside]
    return (
        *seen.findings,
        compatible(seen.signature, champion, change_allowed),
        golden(sets[GOLDEN], standards.tolerance),
        finite_outputs(sets[REFERENCE]),
        output_ranges(sets[REFERENCE], ranges),
        robust(seen.probes, seen.beside_probes),
        batching(seen.batching, standards.tolerance),
        accuracy("accuracy", sets[REFERENCE], yardstick),
        accuracy("newest", sets[NEWEST], yardstick),
        accuracy("holdout", sets[HOLDOUT], yardstick),
        slices(compared, yardstick),
        calibration(compared),
        cost(seen.cost, seen.beside, standards.budget),
    )
