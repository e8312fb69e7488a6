import numpy as np
from numpy.typing import NDArray

from lifecycle.core.gates.calibration import calibration
from lifecycle.core.inspection import Answers
from lifecycle.core.verdict import Verdict

RNG = np.random.default_rng(11)
CHANCE = RNG.uniform(0.05, 0.95, 5_000)
TRUTH = (RNG.random(5_000) < CHANCE).astype(np.int64)


def probabilities(yes: NDArray[np.float64]) -> dict[str, NDArray[np.float32]]:
    return {"p": np.stack([1 - yes, yes], axis=1).astype(np.float32)}


def boastful(chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """As sure as if each answer had been seen twice."""
    odds = (chance / (1 - chance)) ** 2
    return odds / (1 + odds)


def compare(own: NDArray[np.float64], champion: NDArray[np.float64], rows: int = 5_000) -> Answers:
    return Answers(
        outputs={name: array[:rows] for name, array in probabilities(own).items()},
        beside={name: array[:rows] for name, array in probabilities(champion).items()},
        labels=TRUTH[:rows],
    )


def test_a_version_that_boasts_fails_beside_one_that_does_not() -> None:
    found = calibration([compare(boastful(CHANCE), CHANCE)])
    assert found.verdict is Verdict.FAIL
    assert found.numbers["candidate"] - found.numbers["champion"] > 0.05


def test_an_equal_one_and_a_better_one_pass() -> None:
    assert calibration([compare(CHANCE, CHANCE)]).verdict is Verdict.PASS
    assert calibration([compare(CHANCE, boastful(CHANCE))]).verdict is Verdict.PASS


def test_single_scores_are_the_probability_of_the_one() -> None:
    answers = Answers(
        outputs={"p": boastful(CHANCE).astype(np.float32)},
        beside={"p": CHANCE.astype(np.float32)},
        labels=TRUTH,
    )
    assert calibration([answers]).verdict is Verdict.FAIL


def test_too_few_labels_and_answers_that_are_no_probabilities_say_nothing() -> None:
    assert calibration([compare(boastful(CHANCE), CHANCE, rows=499)]).verdict is Verdict.INCONCLUSIVE
    scores = Answers(outputs={"y": CHANCE * 9}, beside={"y": CHANCE * 9}, labels=TRUTH)
    assert calibration([scores]).verdict is Verdict.INCONCLUSIVE
