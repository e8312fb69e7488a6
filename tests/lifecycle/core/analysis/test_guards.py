"""What a rollout is told: healthy passes, harm fails, too little data says so."""

from collections import Counter

import numpy as np
import pytest

from lifecycle.core.analysis.evidence import NONE, Arm, Evidence, Segment
from lifecycle.core.analysis.guards import Guards, judge
from lifecycle.core.analysis.late import Labelled, Late
from lifecycle.core.verdict import Finding, Verdict, combine
from tests.lifecycle.core.analysis.traffic import Traffic

NAMES = ["errors", "invalid_outputs", "latency_p50", "latency_p90", "latency_p95", "latency_p99", "outputs"]


def found(evidence: Evidence, guards: Guards | None = None) -> dict[str, Finding]:
    findings = judge(evidence, guards or Guards())
    assert [finding.name for finding in findings] == NAMES
    for finding in findings:
        assert 0 <= finding.numbers["progress"] <= 1
        assert all(np.isfinite(number) for number in finding.numbers.values())
    return {finding.name: finding for finding in findings}


def verdicts(findings: dict[str, Finding]) -> Counter[Verdict]:
    return Counter(finding.verdict for finding in findings.values())


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_a_healthy_canary_passes_within_2000_requests(share: float, seed: int) -> None:
    traffic = Traffic(seed)
    baseline = traffic.arm(int(2000 * (1 - share) / share))
    evidence = Evidence((Segment(share, False, traffic.arm(2000), baseline),), traffic.arm(3000))
    assert verdicts(found(evidence)) == {Verdict.PASS: 7}


def test_a_healthy_canary_never_fails_at_any_look() -> None:
    for seed in range(5):
        traffic = Traffic(seed)
        evidence = Evidence((), traffic.arm(2000, errors=0.004))
        for _ in range(30):
            arms = traffic.arm(20, errors=0.004), traffic.arm(180, errors=0.004)
            evidence = evidence.add(Segment(0.1, False, *arms))
            assert Verdict.FAIL not in verdicts(found(evidence))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_nan_answers_fail_within_a_hundred_canary_requests_or_so(share: float) -> None:
    failed = 0
    for seed in range(20):
        traffic = Traffic(seed)
        canary, baseline = traffic.arm(150, invalid=0.05), traffic.arm(int(150 * (1 - share) / share))
        findings = found(Evidence((Segment(share, False, canary, baseline),), traffic.arm(2000)))
        failed += findings["invalid_outputs"].verdict is Verdict.FAIL
        assert findings["errors"].verdict is not Verdict.FAIL
    assert failed >= 15


def test_nan_answers_fail_in_shadow() -> None:
    traffic = Traffic()
    evidence = Evidence((Segment(0.5, True, traffic.arm(300, invalid=0.05), traffic.arm(300)),))
    assert found(evidence)["invalid_outputs"].verdict is Verdict.FAIL


def test_errors_fail_against_the_champion_though_both_are_under_the_slo() -> None:
    canary, baseline = Arm(20_000, errors=120), Arm(20_000, errors=20)
    finding = found(Evidence((Segment(0.5, False, canary, baseline),), Arm(5000)))["errors"]
    assert finding.verdict is Verdict.FAIL
    assert "0.600%" in finding.reason


def test_an_incident_that_hits_both_arms_does_not_fail_the_canary() -> None:
    canary, baseline = Arm(2000, errors=100), Arm(2000, errors=100)
    finding = found(Evidence((Segment(0.5, False, canary, baseline),), Arm(100_000, errors=3)))["errors"]
    assert finding.verdict is Verdict.INCONCLUSIVE


def test_an_errorful_champion_may_be_replaced_by_its_equal() -> None:
    seen = {}
    for requests in (5_000, 100_000):
        arm = Arm(requests, errors=requests * 3 // 100)
        seen[requests] = found(Evidence((Segment(0.5, False, arm, arm),), arm))["errors"].verdict
    assert seen == {5_000: Verdict.INCONCLUSIVE, 100_000: Verdict.PASS}


def test_an_unknown_champion_loosens_nothing() -> None:
    # Two requests seen of the champion, one failed: that is no licence for a canary at 20 %.
    findings = found(Evidence((Segment(0.5, False, Arm(1000, errors=200), Arm(2, errors=1)),)))
    assert findings["errors"].verdict is not Verdict.PASS
    assert findings["errors"].numbers["limit_rate"] == pytest.approx(0.015)


def test_a_slow_canary_fails_and_says_by_how_much() -> None:
    traffic = Traffic()
    arms = traffic.arm(1000, scale=3.0), traffic.arm(1000)
    findings = found(Evidence((Segment(0.5, False, *arms),), traffic.arm(2000)))
    for name in NAMES[2:6]:
        assert findings[name].verdict is Verdict.FAIL, name
    numbers = findings["latency_p50"].numbers
    assert numbers["canary_ms"] == pytest.approx(9.0, rel=0.1)
    assert numbers["champion_ms"] == pytest.approx(3.0, rel=0.1)
    assert findings["errors"].verdict is Verdict.PASS


def test_slower_within_the_tolerance_is_no_harm() -> None:
    for seed in range(5):
        traffic = Traffic(seed)
        arms = traffic.arm(20_000, scale=1.2), traffic.arm(20_000)
        findings = found(Evidence((Segment(0.5, False, *arms),), traffic.arm(20_000)))
        assert all(findings[name].verdict is Verdict.PASS for name in NAMES[2:6])


def test_a_load_peak_that_slows_both_arms_fails_nothing() -> None:
    traffic = Traffic()
    arms = traffic.arm(2000, scale=3.0), traffic.arm(2000, scale=3.0)
    findings = found(Evidence((Segment(0.5, False, *arms),), traffic.arm(2000)))
    assert {findings[name].verdict for name in NAMES[2:6]} == {Verdict.PASS}


def test_the_level_is_shared_and_not_exceeded() -> None:
    steady, broken = Traffic(), Traffic(1)
    baseline = steady.arm(20_000)
    canary = broken.arm(20_000, errors=0.2, invalid=0.2, scale=5.0, classes=np.array([1.0, 0, 0, 0]))
    findings = judge(
        Evidence(
            (Segment(0.5, False, canary, baseline),),
            steady.arm(5_000),
            Late(((Labelled(2_000, 900), Labelled(2_000, 100)),)),
        ),
        Guards(label_margin=0.05),
    )
    assert {finding.verdict for finding in findings} == {Verdict.FAIL}
    assert sum(np.exp(-finding.numbers["threshold"]) for finding in findings) == pytest.approx(0.05)


def test_being_as_bad_as_a_champion_that_fails_everything_clears_nothing() -> None:
    findings = found(Evidence((Segment(0.5, False, Arm(2000, 2000), Arm(2000, 2000)),), Arm(2000, 2000)))
    assert findings["errors"].verdict is Verdict.INCONCLUSIVE
    assert "more requests at this rate will not show it" in findings["errors"].reason


def test_pinned_callers_that_move_the_share_are_no_harm() -> None:
    # Twice the planned share of requests, so twice the share of errors.
    canary, baseline = Arm(4000, errors=32), Arm(16_000, errors=128)
    finding = found(Evidence((Segment(0.1, False, canary, baseline),), Arm(5000, errors=40)))["errors"]
    assert finding.verdict is not Verdict.FAIL


def test_no_traffic_is_inconclusive_everywhere_that_is_compared() -> None:
    findings = found(Evidence())
    assert verdicts(findings) == {Verdict.INCONCLUSIVE: 6, Verdict.PASS: 1}
    assert findings["outputs"].reason.startswith("not compared: that takes reference data of both versions")
    assert combine(findings.values()) is Verdict.INCONCLUSIVE


def test_too_little_traffic_says_how_much_more() -> None:
    traffic = Traffic()
    evidence = Evidence((Segment(0.5, False, traffic.arm(50), traffic.arm(50)),), traffic.arm(200))
    findings = found(evidence)
    assert findings["errors"].verdict is Verdict.INCONCLUSIVE
    assert "about 220 more canary requests" in findings["errors"].reason
    assert findings["latency_p99"].reason == "the champion's p99 is not known; 250 more answers are needed"
    assert 0 < findings["errors"].numbers["progress"] < 1


def test_shadow_traffic_judges_no_latency() -> None:
    traffic = Traffic()
    evidence = Evidence(
        (Segment(0.5, True, traffic.arm(2000, scale=5), traffic.arm(2000)),), traffic.arm(2000)
    )
    findings = found(evidence)
    assert {findings[name].verdict for name in NAMES[2:6]} == {Verdict.INCONCLUSIVE}
    assert {findings[name].verdict for name in ("errors", "invalid_outputs", "outputs")} == {Verdict.PASS}


def test_other_answers_are_explained_and_fail_only_past_the_effect() -> None:
    def outputs(moved: float, requests: int = 4000) -> Finding:
        traffic = Traffic()
        classes = np.array([0.25 + moved, 0.25 - moved, 0.25, 0.25])
        arms = traffic.arm(requests, classes=classes), traffic.arm(requests)
        return found(
            Evidence((Segment(0.5, False, *arms),), traffic.arm(2000)), Guards(output_effect_fail=0.1)
        )["outputs"]

    assert outputs(0.0).verdict is Verdict.PASS
    small = outputs(0.05)
    assert small.verdict is Verdict.PASS
    assert small.reason.startswith("the answers differ; 5")
    assert outputs(0.2).verdict is Verdict.FAIL
    assert outputs(0.2, requests=20).verdict is Verdict.INCONCLUSIVE


def test_a_plan_may_allow_any_other_answers() -> None:
    traffic = Traffic()
    arms = traffic.arm(1000, classes=np.array([1.0, 0, 0, 0])), traffic.arm(1000)
    evidence = Evidence((Segment(0.5, False, *arms),), traffic.arm(2000))
    assert found(evidence, Guards(output_effect_fail=0.25))["outputs"].verdict is Verdict.FAIL
    allowed = found(evidence, Guards(output_effect_fail=1.0))["outputs"]
    assert allowed.verdict is Verdict.PASS
    assert "the plan allows any difference" in allowed.reason


def test_rows_of_one_request_are_not_independent() -> None:
    # 40 requests of 100 rows each are 40 observations, not 4,000.
    traffic = Traffic()
    arms = traffic.arm(40, rows=100), traffic.arm(40, rows=100)
    assert found(Evidence((Segment(0.5, False, *arms),)))["outputs"].verdict is Verdict.INCONCLUSIVE


def test_a_champion_whose_outputs_are_not_seen_yet_holds() -> None:
    arms = Arm(100, outputs=np.array([50, 50], np.int64)), Arm(100, outputs=NONE)
    assert found(Evidence((Segment(0.5, False, *arms),)))["outputs"].verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("limits", [{"alpha": 0.0}, {"error_margin": 1.0}, {"latency_tolerance": -1.0}])
def test_limits_that_mean_nothing_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(limits))):
        Guards(**limits)
