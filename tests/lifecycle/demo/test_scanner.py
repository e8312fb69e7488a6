"""The demo's data is real, and its three sets share no scan."""

import numpy as np

from lifecycle.demo.scanner import wear, world


def test_the_sets_share_no_scan_and_hold_all_of_them() -> None:
    made = world(np.random.default_rng(1))
    parts = [made.history, made.labelled, made.unseen]
    assert sum(map(len, parts)) == 1797
    assert len(np.unique(np.concatenate([part.images for part in parts]), axis=0)) == 1797


def test_a_worn_scan_is_fainter_and_blurred_but_no_other_digit() -> None:
    made = world(np.random.default_rng(1))
    clean = made.unseen.images
    worn = wear(clean, np.random.default_rng(2))
    assert worn.shape == clean.shape
    assert worn.dtype == np.float32
    assert worn.sum() < 0.7 * clean.sum()
    likeness = [np.corrcoef(a, b)[0, 1] for a, b in zip(clean, worn, strict=True)]
    assert np.mean(likeness) > 0.8
