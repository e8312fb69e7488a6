"""How findings add up, and how they travel as JSON."""

import json
import math

import pytest

from lifecycle.core.verdict import Finding, Verdict, combine


@pytest.mark.parametrize(
    ("verdicts", "total"),
    [
        ([], Verdict.INCONCLUSIVE),
        ([Verdict.PASS, Verdict.PASS], Verdict.PASS),
        ([Verdict.PASS, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.PASS], Verdict.ERROR),
        ([Verdict.ERROR, Verdict.FAIL, Verdict.PASS], Verdict.FAIL),
    ],
)
def test_the_worst_finding_counts(verdicts: list[Verdict], total: Verdict) -> None:
    assert combine(Finding("x", verdict, "") for verdict in verdicts) is total


def test_numbers_that_are_none_survive_as_unknown() -> None:
    finding = Finding("x", Verdict.ERROR, "why", {"ms": math.inf, "rate": 0.5, "psi": math.nan})
    text = json.dumps(finding.as_json(), allow_nan=False)
    again = Finding.from_json(json.loads(text))
    assert (again.name, again.verdict, again.reason) == ("x", Verdict.ERROR, "why")
    assert again.numbers["rate"] == 0.5
    assert math.isnan(again.numbers["ms"])
    assert math.isnan(again.numbers["psi"])
