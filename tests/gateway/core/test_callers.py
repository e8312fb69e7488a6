"""Counts by bucket of the key merge exactly and tell few heavy callers from many light ones."""

import numpy as np

from gateway.core.callers import BUCKETS, ERRORS, INVALID, NO_KEYS, REQUESTS, added, by_bucket
from gateway.core.routing import key_point
from gateway.core.types import Outcome

MIXED = [
    *[("ann", Outcome.OK)] * 5,
    *[("bob", Outcome.SERVER_ERROR)] * 3,
    ("cleo", Outcome.INVALID_OUTPUT),
    ("cleo", Outcome.CLIENT_ERROR),
    ("cleo", Outcome.REFUSED),
    ("", Outcome.SERVER_ERROR),
]


def test_each_key_counts_in_one_bucket() -> None:
    counts = by_bucket(MIXED)
    assert sorted(counts[REQUESTS][counts[REQUESTS] > 0]) == [1, 3, 5]
    assert (counts[ERRORS].max(), counts[ERRORS].sum()) == (3, 3)
    assert counts[INVALID].sum() == 1


def test_without_keys_there_is_nothing_to_carry() -> None:
    assert by_bucket([("", Outcome.OK)]).size == by_bucket([]).size == 0


def test_any_grouping_gives_the_same() -> None:
    whole = by_bucket(MIXED)
    parts = NO_KEYS
    for part in MIXED:
        parts = added(by_bucket([part]), parts)
    assert np.array_equal(whole, parts)


def test_a_bucket_says_nothing_of_where_a_key_is_routed() -> None:
    keys = [f"customer-{number}" for number in range(20_000)]
    low = by_bucket((key, Outcome.OK) for key in keys if key_point("m", key) < 0.1)[REQUESTS]
    assert np.count_nonzero(low) == BUCKETS
    expected = low.sum() / BUCKETS
    assert float(((low - expected) ** 2 / expected).sum()) < BUCKETS * 1.4
