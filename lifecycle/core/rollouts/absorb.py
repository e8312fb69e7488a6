"""Takes windows of traffic into a rollout's evidence and judges it anew."""

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

from gateway.core.summary import Window
from gateway.core.types import Role
from lifecycle.core.analysis.bins import OutputBins
from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.guards import judge
from lifecycle.core.analysis.late import Late
from lifecycle.core.rollouts.rollout import Phase, Rollout
from lifecycle.core.verdict import Finding, Verdict, combine

Bins = tuple[OutputBins, OutputBins]


def absorb(
    rollout: Rollout, windows: Iterable[Window], bins: Bins | None = None, late: Late | None = None
) -> Rollout:
    """The rollout with more evidence, and the guards' findings on all of it.

    While the version loads, the champion's windows are the reference. Later, only windows of tables that
    carry the present split count: what a worker saw under an older one is never mixed in. Pinned
    requests are outside the split and never count.

    Args:
        windows: of any model; others' are ignored.
        bins: how the champion's and the version's outputs compare; None leaves them out.
        late: all labels and numbers that are known by now; None for no news.
    """
    evidence, first_at = rollout.evidence, rollout.canary_first_at
    for window in windows:
        if window.model != rollout.model or not rollout.active:
            continue
        if rollout.phase is Phase.LOADING:
            evidence = _referred(evidence, rollout, window, bins)
        elif window.generation >= rollout.generation:
            evidence = _compared(evidence, rollout, window, bins)
            if (window.version, window.role) == (rollout.version, Role.CANARY) and window.requests:
                first_at = window.start if first_at is None else min(first_at, window.start)
    if late is not None and late != evidence.late and rollout.active:
        evidence = replace(evidence, late=late)
    if evidence is rollout.evidence:
        return rollout
    findings = _judged(replace(rollout, evidence=evidence))
    return replace(rollout, evidence=evidence, findings=findings, canary_first_at=first_at)


def _judged(rollout: Rollout) -> tuple[Finding, ...]:
    evidence, plan = rollout.evidence, rollout.plan
    if not evidence.segments:
        return ()
    if rollout.phase is not Phase.BAKE:
        return judge(evidence, plan.guards, plan.guard)
    # Judged by itself: what went well before the promotion must not drown what goes wrong after it.
    baked = tuple(s for s in evidence.segments if (s.share, s.paired) == rollout.split)
    champion = reduce(Arm.merge, (s.baseline for s in evidence.segments), evidence.reference)
    findings = judge(Evidence(baked, champion, evidence.late), plan.guards, plan.guard)
    # The findings that promoted the version stand until its bake time shows otherwise.
    return findings if combine(findings) is Verdict.FAIL else rollout.findings


def _referred(evidence: Evidence, rollout: Rollout, window: Window, bins: Bins | None) -> Evidence:
    if (window.version, window.role) != (rollout.champion, Role.CHAMPION):
        return evidence
    arm = Arm.of(window, bins[0] if bins else None)
    return replace(evidence, reference=evidence.reference.merge(arm))


def _compared(evidence: Evidence, rollout: Rollout, window: Window, bins: Bins | None) -> Evidence:
    seen, share = (window.version, window.role), rollout.split
    roles = {Phase.SHADOW: Role.SHADOW, Phase.STEP: Role.CANARY, Phase.BAKE: Role.CHAMPION}
    if seen == (rollout.version, roles[rollout.phase]):
        return evidence.add(Segment(*share, canary=Arm.of(window, bins[1] if bins else None)))
    if seen == (rollout.champion, Role.CHAMPION):
        return evidence.add(Segment(*share, baseline=Arm.of(window, bins[0] if bins else None)))
    return evidence
