"""Times are read as people write them."""

import pytest

from lifecycle.core.moments import duration, read_length, read_since, read_time
from lifecycle.errors import LifecycleError

NOW = 1e9


def test_times_are_read_as_people_write_them() -> None:
    assert read_time("12.5", NOW) == 12.5
    assert read_time("1970-01-01T00:01:00Z", NOW) == read_time("1970-01-01 00:01", NOW) == 60.0
    assert read_time("1970-01-01T02:00:00+02:00", NOW) == 0.0
    for nothing in ("yesterday", "nan", "inf", "-inf", "1e400"):
        with pytest.raises(LifecycleError, match="is not a time"):
            read_time(nothing, NOW)


def test_lengths_are_read_as_people_write_them() -> None:
    assert [read_length(text) for text in ("90s", "15m", "12h", "30d")] == [90, 900, 43200, 2592000]
    with pytest.raises(LifecycleError, match="12h"):
        read_length("soon")


def test_lengths_are_written_in_words() -> None:
    lengths = [duration(seconds) for seconds in (0.4, 61, 3_700, 100_000)]
    assert lengths == ["0 s", "1 min 1 s", "1 h 1 min", "27 h 46 min"]


def test_since_is_a_time_or_so_long_ago() -> None:
    assert read_since("1h", 7200.0) == 3600.0
    assert read_since("1970-01-01T00:01:00Z", 7200.0) == 60.0
    with pytest.raises(LifecycleError, match="still to come"):
        read_since("2999-01-01", NOW)
    with pytest.raises(LifecycleError, match="neither a time nor a length of time"):
        read_since("yesterday", 0.0)
