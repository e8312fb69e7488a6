from dataclasses import replace

import pytest

from gateway.core.placement import Placement
from gateway.runtime.placement import INLINE_BUDGET_NS, INLINE_MOST_NS, Cost, cost, inline_elements

ROW = 30


def test_two_measurements_tell_the_fixed_cost_from_that_of_a_row() -> None:
    measured = cost(one_ns=8_000, many_ns=14_300, rows=64, elements=ROW, unbounded=False)
    assert measured.element_ns * ROW == pytest.approx(100)
    assert measured.fixed_ns == pytest.approx(7_900)
    assert measured.row_ns == pytest.approx(8_000)


def test_noise_never_makes_rows_free_of_charge() -> None:
    measured = cost(one_ns=8_000, many_ns=7_000, rows=64, elements=ROW, unbounded=False)
    assert measured.element_ns > 0
    assert measured.row_ns == pytest.approx(8_000)
    assert inline_elements(Placement.AUTO, measured) / ROW < 20_000


def test_auto_runs_inline_what_fits_the_budget() -> None:
    fits = inline_elements(Placement.AUTO, Cost(fixed_ns=10_000, element_ns=10, elements=ROW))
    assert fits == pytest.approx((INLINE_BUDGET_NS - 10_000) / 10)


@pytest.mark.parametrize(
    "measured",
    [Cost(400_000, 0, ROW), Cost(0, 20_000, ROW), Cost(10, 0.1, ROW, unbounded=True)],
    ids=["fixed cost", "row cost", "loops"],
)
def test_auto_sends_the_costly_and_the_unpredictable_to_the_pool(measured: Cost) -> None:
    assert inline_elements(Placement.AUTO, measured) < 0


def test_a_person_may_overrule_the_measurement() -> None:
    cheap, costly = Cost(10, 0.1, ROW), Cost(INLINE_BUDGET_NS * 2, 1e3, ROW)
    assert inline_elements(Placement.AUTO, costly) < 0
    assert inline_elements(Placement.INLINE, costly) > 100 * ROW
    assert inline_elements(Placement.INLINE, replace(costly, unbounded=True)) > 100 * ROW
    assert inline_elements(Placement.POOL, cheap) < 0
    assert inline_elements(Placement.DEDICATED, cheap) < 0


def test_nobody_makes_a_worker_hold_still_for_long() -> None:
    slow, many = Cost(INLINE_MOST_NS * 2, 0, ROW), Cost(0, INLINE_MOST_NS / 1000, ROW)
    assert inline_elements(Placement.INLINE, slow) < 0
    assert inline_elements(Placement.INLINE, many) == pytest.approx(1000)
