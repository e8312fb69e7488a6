"""The streams are what was published, and the two detectors are followed alike."""

import numpy as np
import pytest

from benchmarks.statistics.adwin import Adwin
from benchmarks.statistics.concepts import STREAMS
from benchmarks.statistics.streams import BEFORE, Case, Run, adwin, edetector, f1, follow


@pytest.mark.parametrize("name", STREAMS)
def test_every_concept_differs_from_the_first_and_repeats_with_its_seed(name: str) -> None:
    stream = STREAMS[name]
    drawn = [stream.draw(np.random.default_rng(1), concept, 500) for concept in range(stream.concepts)]
    again = stream.draw(np.random.default_rng(1), 0, 500)
    assert np.array_equal(drawn[0][0], again[0])
    for x, truth in drawn[1:]:
        assert not (np.array_equal(x, drawn[0][0]) and np.array_equal(truth, drawn[0][1]))


def test_adwin_cuts_where_the_mean_changes_and_keeps_the_newest() -> None:
    rng, window = np.random.default_rng(1), Adwin()
    cuts = [at for at in range(4_000) if window.update(float(rng.random() < (0.1 if at < 2_000 else 0.5)))]
    assert 2_000 < cuts[0] < 2_200
    assert window.mean == pytest.approx(0.5, abs=0.1)


def test_both_find_a_change_and_what_comes_before_it_is_false() -> None:
    rng = np.random.default_rng(2)
    wrong = np.concatenate([rng.random(BEFORE) < 0.1, rng.random(2_000) < 0.4])
    given = Case(wrong, rng.random(1_000) < 0.1)
    for fresh in (lambda: edetector(given.reference), adwin):
        run = follow(given, fresh)
        assert run.false == 0
        assert run.delay is not None
        assert run.delay < 200
    assert follow(given, lambda: lambda _: True).false == BEFORE


def test_f1_counts_the_missed_and_the_false() -> None:
    assert f1([Run(0, 5), Run(1, None)]) == 0.5
