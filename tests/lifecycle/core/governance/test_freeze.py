"""When traffic stands still."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from lifecycle.core.governance.freeze import Freeze, frozen

YEAR_END = Freeze("year end", datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 4, tzinfo=UTC))
WEEKENDS = Freeze(
    "weekends", days=frozenset({"sat", "sun"}), zone=ZoneInfo("Europe/Berlin"), models=("eu-*",)
)


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-12-19T23:59:59Z", False),
        ("2026-12-20T00:00:00Z", True),
        ("2027-01-03T23:59:59Z", True),
        ("2027-01-04T00:00:00Z", False),
    ],
)
def test_a_window_has_its_first_moment_and_not_its_last(moment: str, holds: bool) -> None:
    assert YEAR_END.holds(at(moment)) is holds
    assert YEAR_END.over(at("2026-12-24T12:00:00Z")) == YEAR_END.ends


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2026-11-20T22:59:00Z", False),  # still Friday in Berlin
        ("2026-11-20T23:00:00Z", True),
        ("2026-11-22T22:59:00Z", True),
        ("2026-11-22T23:00:00Z", False),
    ],
)
def test_days_are_those_of_the_zone(moment: str, holds: bool) -> None:
    assert WEEKENDS.holds(at(moment)) is holds
    over = WEEKENDS.over(at("2026-11-21T12:00:00Z"))
    assert over is not None
    assert over.astimezone(UTC) == datetime(2026, 11, 22, 23, tzinfo=UTC)


def test_days_may_be_bounded() -> None:
    sundays = Freeze("until spring", ends=datetime(2027, 3, 1, tzinfo=UTC), days=frozenset({"sun"}))
    assert sundays.holds(at("2027-02-28T12:00:00Z"))
    assert not sundays.holds(at("2027-03-07T12:00:00Z"))
    assert sundays.over(at("2027-02-28T12:00:00Z")) == sundays.ends


def test_one_that_never_closes_has_no_end() -> None:
    assert (
        Freeze("for good", begins=datetime(2026, 1, 1, tzinfo=UTC)).over(at("2026-06-01T00:00:00Z")) is None
    )


def test_a_freeze_is_for_its_models() -> None:
    saturday = at("2026-11-21T12:00:00Z")
    assert frozen([YEAR_END, WEEKENDS], "eu-fraud", saturday) == WEEKENDS
    assert frozen([YEAR_END, WEEKENDS], "us-fraud", saturday) is None


def test_what_is_no_window_is_refused() -> None:
    with pytest.raises(ValueError, match="needs `from`"):
        Freeze("x")
    with pytest.raises(ValueError, match="'sunday' is not a day"):
        Freeze("x", days=frozenset({"sunday"}))
    with pytest.raises(ValueError, match="name their zone"):
        Freeze("x", begins=datetime.min)
