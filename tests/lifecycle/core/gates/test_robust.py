from lifecycle.core.gates.robust import robust
from lifecycle.core.inspection import Probe
from lifecycle.core.verdict import Verdict

FINE = Probe("NaN in 'x'", answered=True, kept=True, finite=False)
REFUSED = Probe("an unknown category in 'c'", answered=False, kept=True, finite=True)
KNOWN = Probe("an unknown category in 'c'", answered=True, kept=True, finite=True)
SPILLED = Probe("infinity in 'x'", answered=True, kept=False, finite=False)


def test_nan_for_nan_and_a_clean_refusal_are_fine() -> None:
    found = robust([FINE, REFUSED], [])
    assert found.verdict is Verdict.PASS
    assert found.numbers == {"probes": 2, "refused": 1, "not_finite": 1}
    assert robust([FINE, REFUSED], [FINE, REFUSED]).verdict is Verdict.PASS


def test_refusing_what_the_champion_answers_fails() -> None:
    found = robust([FINE, REFUSED], [FINE, KNOWN])
    assert found.verdict is Verdict.FAIL
    assert "an unknown category in 'c', which the champion answers" in found.reason


def test_a_row_that_changes_the_one_beside_it_fails() -> None:
    assert robust([FINE, SPILLED], []).verdict is Verdict.FAIL


def test_whole_numbers_alone_are_not_tried() -> None:
    assert robust([], []).verdict is Verdict.INCONCLUSIVE
