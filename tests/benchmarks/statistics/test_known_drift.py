"""Rows of a made-up set go the way of live traffic."""

import numpy as np

from benchmarks.statistics.known_drift import named, reports
from benchmarks.statistics.nannyml_data import Rows


def rows(rng: np.random.Generator, n: int, mean: float = 0.0, often: float = 0.5) -> Rows:
    features = {
        "age": rng.normal(mean, 1.0, n),
        "member": (rng.random(n) < often).astype(float),
        "same": rng.random(n),
    }
    score = rng.random(n)
    return Rows(
        features, frozenset({"member"}), np.stack([1 - score, score], axis=1), score.round(), score.round()
    )


def test_changed_features_are_named_and_others_are_not() -> None:
    rng = np.random.default_rng(1)
    quiet, loud = reports(rows(rng, 20_000), [rows(rng, 4_000), rows(rng, 4_000, mean=0.5, often=0.8)])
    assert named(quiet) == set()
    assert named(loud) == {"age", "member"}
