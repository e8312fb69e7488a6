import numpy as np
import pytest

from benchmarks.statistics.table import Table


def test_a_median_may_be_a_tenth_above_the_published_one(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table()
    table.median("near", (100, 200), np.array([90.0, 110.0, 300.0]))
    table.median("late", (100, 200), np.array([90.0, 111.0, 300.0]))
    table.median("never", (100,), np.array([90.0, np.inf, np.inf]))
    assert table.missed == ["late", "never"]
    assert table.end() == 1
    assert "1 of 3 bars are met" in capsys.readouterr().out


def test_a_rate_may_exceed_its_bar_by_chance_only() -> None:
    table = Table()
    for case, alarms in (("few", 110), ("many", 125)):
        times = np.full(2_000, np.inf)
        times[:alarms] = 1.0
        table.rate(case, "4 %", times)
    assert table.missed == ["many"]
