"""What do NaN, infinity, categories never seen and the lowest integers do to a version?

Refusing such a row is fine, and so is answering NaN for NaN. Changing the answer of the row beside it is not,
nor is refusing what the champion answers.
"""

from collections.abc import Sequence

from lifecycle.core.inspection import Probe
from lifecycle.core.verdict import Finding, Verdict


def robust(probes: Sequence[Probe], champion: Sequence[Probe]) -> Finding:
    """A crash or a hang is found where the rows are run, and fails this gate before it is judged."""
    if not probes:
        reason = "no input can hold NaN, an unknown category or a negative integer"
        return Finding("robustness", Verdict.INCONCLUSIVE, reason)
    refused = [probe.name for probe in probes if not probe.answered]
    numbers = {
        "probes": float(len(probes)),
        "refused": float(len(refused)),
        "not_finite": float(sum(probe.answered and not probe.finite for probe in probes)),
    }
    spilled = next((probe.name for probe in probes if not probe.kept), "")
    if spilled:
        reason = f"a row with {spilled} changes the answer to the row beside it"
        return Finding("robustness", Verdict.FAIL, reason, numbers)
    answered = {probe.name for probe in champion if probe.answered}
    if lost := [name for name in refused if name in answered]:
        reason = f"it fails on a row with {lost[0]}, which the champion answers"
        return Finding("robustness", Verdict.FAIL, reason, numbers)
    told = f"; it refuses {len(refused)} of them, {refused[0]} first" if refused else ""
    return Finding("robustness", Verdict.PASS, f"{len(probes)} odd rows harm nothing{told}", numbers)
