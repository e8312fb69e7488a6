"""A rollout drawn in a terminal."""

import re
import time

from rich.console import Console

from lifecycle.cli.rollout_text import describe, draw

PROVEN = {"progress": 1.0, "log_e": 3.71, "threshold": 3.69}
PLAN = {"name": "quick", "bake_seconds": 60, "at_deadline": "roll_back", "manual": False}
TRAFFIC = {"champion": 1, "weights": {"1": 90.0, "2": 10.0}, "shadows": [3]}


def rollout(**changes: object) -> dict[str, object]:
    findings = [
        {"name": "errors", "verdict": "PASS", "reason": "no worse", "numbers": PROVEN},
        {"name": "outputs", "verdict": "INCONCLUSIVE", "reason": "[too] few", "numbers": {}},
    ]
    steps = [{"weight": 10.0, "min_seconds": 5.0, "min_requests": 50, "shadow": False}]
    return {
        "model": "fraud",
        "version": 2,
        "champion": 1,
        "phase": "step",
        "active": True,
        "paused": False,
        "plan": PLAN | {"steps": steps},
        "deadline_at": time.time() + 100,
        "step": 0,
        "weight": 10.0,
        "step_requests": 20,
        "step_started_at": time.time() - 3,
        "verdict": "INCONCLUSIVE",
        "findings": findings,
        "reason": "",
        "frozen": "",
        **changes,
    }


def drawn(width: int = 120, **changes: object) -> str:
    screen = Console(width=width, markup=False)
    with screen.capture() as capture:
        screen.print(draw(rollout(**changes), TRAFFIC))
    return capture.get()


def test_one_line_says_where_it_stands() -> None:
    assert describe(rollout()) == "version 2: step 1/1, 10 % of traffic, INCONCLUSIVE"
    assert describe(rollout(paused=True, reason="held")).endswith("INCONCLUSIVE, paused (last move: held)")
    assert describe(rollout(step=-1, phase="loading")).startswith("version 2: loading, ")


def test_the_whole_shows_split_guards_and_time() -> None:
    text = drawn()
    assert "20 of at least 50 requests" in text
    assert "90 %" in text
    assert "shadow" in text
    assert "3.7 of 3.7" in text
    assert "then it is rolled back" in text
    assert re.search("waits for +min_requests, outputs", text)
    assert re.search("waits for +outputs", drawn(step_requests=50))
    assert "[too] few" in text


def test_a_rollout_that_a_freeze_holds_waits_for_its_end() -> None:
    frozen = "traffic is frozen until 2999-01-01 00:00 UTC (`audit`)"
    assert describe(rollout(frozen=frozen)).endswith(f"INCONCLUSIVE, {frozen}")
    assert re.search(f"waits for +{re.escape(frozen)}", drawn(frozen=frozen))


def test_a_manual_plan_waits_for_a_person_at_its_end() -> None:
    steps = [{"weight": 10.0, "min_seconds": 5.0, "min_requests": 50, "shadow": False}]
    plan = PLAN | {"manual": True, "steps": steps}
    assert "`headrace rollout promote fraud`" in drawn(plan=plan, verdict="PASS")
    assert "promote" not in drawn(plan=plan)


def test_what_a_shadow_cannot_show_is_not_waited_for() -> None:
    plan = PLAN | {"steps": [{"weight": 0.0, "min_seconds": 5.0, "min_requests": 0, "shadow": True}]}
    names = ("invalid_outputs", "latency_p99", "labels", "feedback.revenue")
    unknown = [{"name": name, "verdict": "INCONCLUSIVE", "reason": "few", "numbers": {}} for name in names]
    assert re.search("waits for +invalid_outputs *\n", drawn(plan=plan, phase="shadow", findings=unknown))


def test_a_held_rollout_waits_for_a_person_and_a_baking_one_for_nobody() -> None:
    assert re.search("waits for +a person: `headrace rollout resume fraud`", drawn(paused=True))
    assert re.search("waits for +–", drawn(phase="bake"))


def test_the_time_left_is_that_of_the_phase() -> None:
    baking = drawn(phase="bake", step_started_at=time.time())
    assert "promoted for good" in baking
    assert "of at least" not in baking, "all steps are over"
    assert "time left" in drawn()
    assert "rolled back" not in drawn(paused=True)


def test_before_any_judgement_that_is_said() -> None:
    assert "no guard has been judged yet" in drawn(findings=[], step=-1, step_started_at=0.0)


def test_in_a_narrow_terminal_reasons_stand_under_their_guards() -> None:
    reason = "about 650 more canary requests are needed to show that it is under 0.400%"
    finding = {"name": "invalid_outputs", "verdict": "INCONCLUSIVE", "reason": reason, "numbers": PROVEN}
    lines = drawn(width=78, findings=[finding]).splitlines()
    assert lines[-2].startswith("invalid_outputs  INCONCLUSIVE  ━━━")
    assert lines[-2].endswith("3.7 of 3.7")
    assert lines[-1].strip() == reason
