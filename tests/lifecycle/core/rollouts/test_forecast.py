"""A forecast comes true about as often as it says, in simulated traffic under the very same guards."""

from dataclasses import replace

from lifecycle.core.analysis.evidence import Arm, Evidence, Segment
from lifecycle.core.analysis.guards import Guards, judge
from lifecycle.core.rollouts.forecast import Forecast, forecast
from lifecycle.core.rollouts.plan import Plan, Step, preset
from lifecycle.core.verdict import Verdict, combine
from tests.lifecycle.core.analysis.traffic import Traffic

HALF = Plan("half", (Step(50, min_seconds=10),))
RATE = 400.0


def told(plan: Plan, errors: float = 0.005, rate: float = RATE) -> Forecast:
    return forecast(plan, Traffic(7).arm(60_000, errors=errors), rate)


def ends(plan: Plan, seconds: float, errors: float, scale: float = 1.0, runs: int = 40) -> list[Verdict]:
    """What simulated rollouts of a one-step plan say after so many seconds, looked at eight times."""
    share, found = plan.steps[0].weight / 100, []
    for seed in range(runs):
        traffic = Traffic(seed)
        evidence, verdict = Evidence((), traffic.arm(20_000, errors=0.005)), Verdict.INCONCLUSIVE
        for _ in range(8):
            requests = seconds / 8 * RATE
            ours = traffic.arm(round(requests * share), errors=errors, scale=scale)
            theirs = traffic.arm(round(requests * (1 - share)), errors=0.005)
            evidence = evidence.add(Segment(share, False, ours, theirs))
            verdict = combine(judge(evidence, plan.guards))
            if verdict is Verdict.FAIL:
                break
        found.append(verdict)
    return found


def part(found: list[Verdict], verdict: Verdict) -> float:
    return found.count(verdict) / len(found)


def test_the_error_rate_that_it_says_is_found_as_likely_as_not() -> None:
    [step] = told(HALF).steps
    assert step.error_rate is not None
    assert 0.3 <= part(ends(HALF, 10, step.error_rate), Verdict.FAIL) <= 0.85
    assert part(ends(HALF, 10, 2 * step.error_rate), Verdict.FAIL) >= 0.95
    assert part(ends(HALF, 10, 0.005), Verdict.FAIL) <= 0.05


def test_so_is_the_slowness() -> None:
    [step] = told(HALF).steps
    assert step.slower is not None
    assert part(ends(HALF, 10, 0.005, scale=step.slower * 1.15), Verdict.FAIL) >= 0.9
    assert part(ends(HALF, 10, 0.005, scale=1 + (step.slower - 1) / 2), Verdict.FAIL) <= 0.1


def test_an_equal_version_passes_in_about_the_time_it_says() -> None:
    short = replace(HALF, steps=(Step(50, min_seconds=0.1),))
    [step] = told(short).steps
    assert step.seconds is not None
    assert step.seconds > 0.1
    assert set(step.waits_for) <= {
        "errors",
        "invalid_outputs",
        "latency_p50",
        "latency_p95",
        "latency_p99",
        "outputs",
    }
    assert part(ends(short, step.seconds * 1.5, 0.005), Verdict.PASS) >= 0.5
    assert part(ends(short, step.seconds * 0.4, 0.005), Verdict.PASS) <= 0.5


def test_it_names_what_each_step_waits_for() -> None:
    busy, idle = told(preset("quick"), rate=1_000), told(preset("quick"), rate=10)
    assert [step.seconds for step in busy.steps] == [4, 5, 5]
    assert busy.steps[0].waits_for == ("min_seconds",)
    assert (busy.seconds, busy.reason) == (14, "a version as good as the champion would be promoted")
    assert idle.steps[0].waits_for != ("min_seconds",)
    assert idle.seconds is not None
    assert idle.seconds > 60


def test_more_traffic_finds_smaller_harm() -> None:
    few, many = (told(HALF, rate=rate).steps[0] for rate in (200, 20_000))
    assert few.error_rate is not None
    assert many.error_rate is not None
    assert many.error_rate < few.error_rate


def test_a_champion_in_trouble_lets_nothing_pass() -> None:
    tight = replace(HALF, guards=replace(HALF.guards, error_slo=0.0, error_margin=1e-6))
    ill = told(tight, errors=0.05)
    assert ill.seconds is None
    assert "errors would not pass" in ill.reason


def test_no_traffic_no_forecast() -> None:
    silent = forecast(preset("quick"), Arm.EMPTY, 0.0)
    assert silent.seconds is None
    assert "no traffic" in silent.reason
    assert len(silent.steps) == 1


def test_a_deadline_that_comes_too_early_is_told() -> None:
    late = told(replace(preset("quick"), deadline_seconds=10.0), rate=1_000)
    assert "by its deadline of 10 s" in late.reason
    slow = told(replace(preset("quick"), deadline_seconds=600.0), rate=1)
    assert "by its deadline of 10 min 0 s" in slow.reason


def test_what_waits_for_labels_is_not_promised_without_them() -> None:
    quick = preset("quick")
    plan = replace(quick, guards=replace(quick.guards, label_margin=0.05))
    assert "promoted, once labels pass too" in told(plan, rate=1_000).reason


def test_a_limit_on_disagreement_holds_no_equal_version() -> None:
    shadow = Plan("shadow", (Step(shadow=True), Step(50)), Guards(disagreement_fail=0.1))
    found = told(shadow)
    assert found.seconds is not None, found.reason
