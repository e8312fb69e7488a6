"""What does a version take, beside the champion and against the budget?"""

from dataclasses import dataclass

from lifecycle.core.inspection import Cost
from lifecycle.core.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a version may cost; None is no bound.

    Args:
        latency_ms: of one warm row.
        latency_ratio: that, as a multiple of the champion's.
        memory_mb: that its session takes.
    """

    latency_ms: float | None = None
    latency_ratio: float | None = None
    memory_mb: float | None = None


def cost(own: Cost | None, champion: Cost | None, budget: Budget) -> Finding:
    """Both were measured in turns in one process, so a busy machine slows both."""
    if own is None:
        return Finding("cost", Verdict.INCONCLUSIVE, "nothing was measured")
    numbers = {"latency_ms": own.latency_ms, "memory_mb": own.memory_mb}
    said = f"one row takes {own.latency_ms:.3g} ms and the version {_memory(own)}"
    ratio = 0.0
    if champion is not None:
        ratio = own.latency_ms / max(champion.latency_ms, 1e-9)
        numbers |= {"champion_latency_ms": champion.latency_ms, "champion_memory_mb": champion.memory_mb}
        numbers["latency_ratio"] = ratio
        said += f"; the champion {champion.latency_ms:.3g} ms and {_memory(champion)}"
    bounds = (
        ("latency_ms", own.latency_ms, budget.latency_ms, "ms a row"),
        ("latency_ratio", ratio, budget.latency_ratio, "times the champion's time"),
        ("memory_mb", own.memory_mb, budget.memory_mb, "MB"),
    )
    numbers |= {f"{name}_budget": most for name, _, most, _ in bounds if most is not None}
    for _, value, most, unit in bounds:
        if most is not None and value > most:
            return Finding("cost", Verdict.FAIL, f"{said}; the budget is {most:g} {unit}", numbers)
    return Finding("cost", Verdict.PASS, said, numbers)


def _memory(of: Cost) -> str:
    return f"{of.memory_mb:.0f} MB" if of.memory_mb >= 1 else "less than 1 MB"
