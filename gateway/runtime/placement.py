"""Where a request runs: in the worker's loop, or in its pool of threads. Pure arithmetic."""

from dataclasses import dataclass

from gateway.core.placement import Placement

INLINE_BUDGET_NS = 300_000
"""A run longer than this would hold up every other request of the worker's loop."""
INLINE_MOST_NS = 10_000_000
"""No request that takes longer runs inline, whoever asks for it: with runs of 100 ms in its loop a worker is
behind, and refuses the requests of all models."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run takes, measured at warm-up.

    Args:
        fixed_ns: of any run, whatever its size.
        element_ns: of each input element beyond that.
        elements: input elements of one row.
        unbounded: a run's length depends on data (loops), so a measurement promises nothing.
    """

    fixed_ns: float
    element_ns: float
    elements: int
    unbounded: bool = False

    @property
    def row_ns(self) -> float:
        """Of a run of one row."""
        return self.fixed_ns + self.element_ns * self.elements


def cost(one_ns: float, many_ns: float, rows: int, elements: int, unbounded: bool) -> Cost:
    """The straight line through two measurements: of one row, and of `rows` rows (1: there is only one)."""
    if rows == 1:
        return Cost(0.0, one_ns / max(elements, 1), elements, unbounded)
    # Noise can hide the slope, and a slope of 0 would let any number of rows run inline: a quarter of
    # the mean cost is the least a row is taken to cost.
    row_ns = max((many_ns - one_ns) / (rows - 1), many_ns / rows / 4)
    return Cost(max(one_ns - row_ns, 0.0), row_ns / max(elements, 1), elements, unbounded)


def inline_elements(placement: Placement, cost: Cost, budget_ns: float = INLINE_BUDGET_NS) -> float:
    """Up to how many input elements a request runs inline; a larger one goes to the pool.

    `inline` overrules the budget, up to `INLINE_MOST_NS`; `pool` and `dedicated` overrule the measurement.
    """
    if placement is Placement.INLINE:
        budget_ns = INLINE_MOST_NS
    elif placement is not Placement.AUTO or cost.unbounded:
        return -1.0
    if cost.row_ns > budget_ns:
        return -1.0
    return (budget_ns - cost.fixed_ns) / max(cost.element_ns, 1e-3)
