"""Plans: how a rollout grows a version's share, and how long it looks before each step."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

from lifecycle.core.analysis.guards import Guards
from lifecycle.core.analysis.metrics import MetricGuard
from lifecycle.errors import LifecycleCode, LifecycleError

MOST_BITS = 63
"""Of a whole number: what databases and other languages can still hold."""


@dataclass(frozen=True, slots=True)
class Step:
    """A share of live traffic, in percent, kept for at least some time and some of the version's requests.

    A shadow step has weight 0: the version sees a copy of every request and answers nobody.
    """

    weight: float = 0.0
    min_seconds: float = 0.0
    min_requests: int = 0
    shadow: bool = False

    def __post_init__(self) -> None:
        if self.shadow != (self.weight == 0):
            raise _invalid("a step has a weight above 0, or `shadow = true`")
        if not 0 <= self.weight < 100:
            raise _invalid(f"a step's weight is under 100 percent, not {self.weight:g}")
        if not all(0 <= floor < math.inf for floor in (self.min_seconds, self.min_requests)):
            raise _invalid("`min_seconds` and `min_requests` are not negative")
        if self.min_requests != int(self.min_requests):
            raise _invalid(f"`min_requests` is a whole number, not {self.min_requests:g}")


class AtDeadline(StrEnum):
    """What becomes of a rollout that is not promoted by its deadline."""

    ROLL_BACK = "roll_back"
    HOLD = "hold"
    """It stays at its present share, and a person promotes, resumes or aborts it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps with growing weights, then promotion, then a bake time with the old champion kept hot.

    Args:
        bake_seconds: how long the old champion stays in memory after the promotion.
        deadline_seconds: a rollout that is not promoted by then ends as `at_deadline` says; None for never.
        manual: after the last step, wait for a person to promote.
        guard: business metrics that judge the version too, once their numbers come in.
    """

    name: str
    steps: tuple[Step, ...]
    guards: Guards = field(default_factory=Guards)
    bake_seconds: float = 0.0
    deadline_seconds: float | None = None
    manual: bool = False
    at_deadline: AtDeadline = AtDeadline.ROLL_BACK
    guard: tuple[MetricGuard, ...] = ()

    def __post_init__(self) -> None:
        if len({asked.metric for asked in self.guard}) < len(self.guard):
            raise _invalid("a metric has one [[guard]]")
        weights = [step.weight for step in self.steps]
        if not weights or any(later <= earlier for earlier, later in pairwise(weights)):
            raise _invalid("a plan has steps of growing weight; a shadow step comes first")
        if not 0 <= self.bake_seconds < math.inf:
            raise _invalid("`bake_seconds` is not negative")
        if self.deadline_seconds is not None and not 0 < self.deadline_seconds < math.inf:
            raise _invalid("`deadline_seconds` is above 0; leave it out for no deadline")

    def as_json(self) -> dict[str, Any]:
        guard = [asked.as_json() for asked in self.guard]
        return asdict(self) | {"steps": [asdict(step) for step in self.steps], "guard": guard}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Plan":
        """A plan of the keys of `Plan`, `steps`, `guards` and `guard`, as people write them in TOML too.

        Raises LifecycleError INVALID for an unknown key or a value out of range.
        """
        keys = _known(cls, data, "the plan")
        steps = tuple(Step(**_numbers(Step, step, "a step")) for step in _listed(keys, "steps"))
        try:
            guards = Guards(**_numbers(Guards, keys.pop("guards", {}), "[guards]"))
        except ValueError as error:
            raise _invalid(f"[guards]: {error}") from None
        guard = tuple(map(_metric_guard, _listed(keys, "guard")))
        name, at_deadline = str(keys.pop("name", "unnamed")), keys.pop("at_deadline", AtDeadline.ROLL_BACK)
        if at_deadline not in list(AtDeadline):
            raise _invalid(f"`at_deadline` is {' or '.join(AtDeadline)}, not {at_deadline!r}")
        numbers = _numbers(cls, keys, "the plan")
        return cls(name, steps, guards, at_deadline=AtDeadline(at_deadline), guard=guard, **numbers)


_SHADOW = Step(shadow=True, min_seconds=4, min_requests=100)

QUICK = Plan(
    "quick",
    (_SHADOW, Step(10, min_seconds=5, min_requests=50), Step(50, min_seconds=5, min_requests=200)),
    bake_seconds=3,
    deadline_seconds=600,
)
CAUTIOUS = Plan(
    "cautious",
    (
        Step(shadow=True, min_seconds=60, min_requests=1_000),
        Step(1, min_seconds=300, min_requests=500),
        Step(5, min_seconds=300, min_requests=2_000),
        Step(25, min_seconds=600, min_requests=5_000),
        Step(50, min_seconds=600, min_requests=10_000),
    ),
    bake_seconds=1_800,
    deadline_seconds=86_400,
)
SHADOW_FIRST = Plan(
    "shadow-first",
    (
        Step(shadow=True, min_seconds=600, min_requests=5_000),
        Step(10, min_seconds=30, min_requests=500),
        Step(50, min_seconds=30, min_requests=1_000),
    ),
    bake_seconds=60,
    deadline_seconds=86_400,
)
MANUAL = replace(QUICK, name="manual", bake_seconds=60, deadline_seconds=None, manual=True)

PRESETS: Mapping[str, Plan] = {plan.name: plan for plan in (QUICK, CAUTIOUS, SHADOW_FIRST, MANUAL)}


def correcting(plan: Plan) -> Plan:
    """The plan for a version that was trained because the champion's answers are wrong.

    It is meant to answer differently, so no difference from the champion counts against it.
    """
    return vouched(replace(plan, guards=replace(plan.guards, output_effect_fail=1.0)))


def vouched(plan: Plan) -> Plan:
    """The plan for a version of which labels or a person said that its classes are right: nobody is asked."""
    return replace(plan, guards=replace(plan.guards, disagreement_hold=1.0))


def preset(name: str) -> Plan:
    """Raises LifecycleError NOT_FOUND."""
    try:
        return PRESETS[name]
    except KeyError:
        names = ", ".join(PRESETS)
        raise LifecycleError(
            LifecycleCode.NOT_FOUND, f"there is no plan {name!r}; there are {names}, or give a TOML file"
        ) from None


def _metric_guard(data: object) -> MetricGuard:
    keys = _known(MetricGuard, data, "[[guard]]")
    if missing := [name for name in ("metric", "direction", "bounds", "margin") if name not in keys]:
        raise _invalid(f"[[guard]] has no {missing[0]!r}; it takes metric, direction, bounds and margin")
    bounds, margin = keys["bounds"], keys["margin"]
    numbers = [*(bounds if isinstance(bounds, list | tuple) else ()), margin]
    if len(numbers) != 3 or any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
        raise _invalid("[[guard]]: `bounds` are two numbers and `margin` is one")
    try:
        low, high, margin = map(float, numbers)
        return MetricGuard(str(keys["metric"]), str(keys["direction"]), (low, high), margin)
    except (ValueError, OverflowError) as error:
        raise _invalid(f"[[guard]]: {error}") from None


def _listed(keys: dict[str, Any], name: str) -> Sequence[Any]:
    found = keys.pop(name, ())
    if not isinstance(found, list | tuple):
        raise _invalid(f"`{name}` is a list of tables: [[{name}]]")
    return found


def _known(kind: type[Plan | Step | Guards | MetricGuard], data: object, where: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise _invalid(f"{where} is a table of keys and values")
    names = [item.name for item in fields(kind)]
    if unknown := sorted(set(data) - set(names)):
        raise _invalid(f"{where} has no key {unknown[0]!r}; it has {', '.join(names)}")
    return dict(data)


def _numbers(kind: type[Plan] | type[Step] | type[Guards], data: object, where: str) -> dict[str, Any]:
    keys = _known(kind, data, where)
    for name, value in keys.items():
        flag = name in ("shadow", "manual")
        if value is None and name == "deadline_seconds":
            continue
        if isinstance(value, bool) != flag or not isinstance(value, bool | int | float):
            raise _invalid(f"{where}: {name!r} is {'true or false' if flag else 'a number'}")
        if isinstance(value, int) and value.bit_length() > MOST_BITS:
            raise _invalid(f"{where}: {name!r} is too large a number")
    return keys


def _invalid(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, message)
