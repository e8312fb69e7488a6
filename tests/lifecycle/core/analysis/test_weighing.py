"""From log e-values to a finding."""

import pytest

from lifecycle.core.analysis.weighing import EValues, Weighed
from lifecycle.core.verdict import Verdict


def weighed(harm: float = 0.0, clear: float = 0.0, rate: float = 0.0) -> Weighed:
    return Weighed("errors", EValues(harm, 5.0, clear, 4.0), rate, 0.001, 0.01, 100)


@pytest.mark.parametrize(
    ("harm", "clear", "verdict"),
    [
        (5.0, 0.0, Verdict.FAIL),
        (0.0, 4.0, Verdict.PASS),
        (5.0, 4.0, Verdict.FAIL),
        (4.9, 3.9, Verdict.INCONCLUSIVE),
    ],
)
def test_harm_wins_and_neither_waits(harm: float, clear: float, verdict: Verdict) -> None:
    assert weighed(harm, clear).finding().verdict is verdict


def test_progress_is_the_way_to_the_threshold() -> None:
    assert weighed(clear=1.0).finding().numbers["progress"] == pytest.approx(0.25)
    assert weighed(clear=-3.0).finding().numbers["progress"] == 0.0
    assert weighed(clear=9.0).finding({"extra": 1.0}).numbers["extra"] == 1.0


def test_what_is_missing_is_about_right_or_said_to_be_hopeless() -> None:
    # Without bad requests the log e-value grows by -ln(1 - .01) each: 4 / .01005 = 398.
    assert "about 400 more canary requests" in weighed().finding().reason
    assert "more requests at this rate will not show it" in weighed(rate=0.02).finding().reason
