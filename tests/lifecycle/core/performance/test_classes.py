"""Which classes a version names, and what labels can only be meant for another model."""

import numpy as np
import pytest

from gateway.core.profile import Profile
from gateway.core.signature import TensorSpec
from gateway.core.types import Array
from lifecycle.core.performance.classes import classes, misfit, unfamiliar

NONE = np.zeros(0)


def output(datatype: str, *shape: int) -> tuple[TensorSpec]:
    return (TensorSpec("answer", datatype, shape or (-1,)),)


def profile(answers: Array) -> Profile:
    return Profile.of({}, {"answer": answers})


def text(*values: bytes) -> Array:
    return np.array(values, np.object_)


def test_classes_are_those_of_answers_and_of_reference_labels() -> None:
    answers = text(*[b"good", b"bad"] * 10)
    assert classes(output("BYTES"), profile(answers), text(b"good", b"odd")) == {"good", "bad", "odd"}
    assert classes(output("INT64"), profile(np.array([0, 2] * 10)), np.array([1.0, 2.0])) == {"0", "1", "2"}
    assert classes(output("BOOL", -1, 1), profile(np.ones((20, 1), np.bool_)), NONE) == {"1"}


def test_classes_of_scores_are_their_places() -> None:
    assert classes(output("FP32", -1, 3), None, NONE) == {"0", "1", "2"}
    assert classes(output("FP32", -1, -1), None, NONE) == frozenset()


@pytest.mark.parametrize(
    ("datatype", "known"),
    [
        ("FP32", profile(np.zeros(20, np.float32))),
        ("INT64", None),
        ("INT64", profile(np.arange(20))),  # numbers, each seldom: no classes
        ("INT64", profile(np.repeat(np.arange(300), 10))),  # too many to be kept one by one
    ],
)
def test_classes_that_are_not_known_are_nobodys(datatype: str, known: Profile | None) -> None:
    assert classes(output(datatype), known, NONE) == frozenset()


WORDS = frozenset({"bad", "good"})


@pytest.mark.parametrize(
    ("datatype", "named", "labels", "why"),
    [
        (
            "INT64",
            set(),
            np.array(["yes"], np.object_),
            "numbers, as its output 'answer' is; these hold words",
        ),
        ("INT64", set(), np.array(["3", "4.0"], np.object_), ""),
        ("INT64", set(), np.array([3.0, 0.5]), "whole numbers, as its output 'answer' is; these hold 0.5"),
        ("INT64", set(), np.array([3.0, 7.0]), ""),
        (
            "BYTES",
            WORDS,
            np.array([0, 1]),
            "words, as its output 'answer' is ('bad', 'good'); these hold numbers",
        ),
        ("BYTES", WORDS | {"7"}, np.array([0, 1]), ""),
        ("BYTES", set(), np.array([0, 1]), ""),
        ("BYTES", WORDS, np.array(["worse"], np.object_), ""),
        ("FP32", set(), np.array([0.5]), ""),
    ],
)
def test_labels_that_could_never_agree_are_told_apart(
    datatype: str, named: set[str], labels: Array, why: str
) -> None:
    assert misfit(output(datatype), frozenset(named), labels) == why


def test_many_classes_are_not_all_listed() -> None:
    named = frozenset(f"{letter}-class" for letter in "abcdefgh")
    why = misfit(output("BYTES"), named, np.array([1]))
    assert "'a-class', 'b-class', 'c-class', 'd-class', 'e-class', …" in why


def test_unfamiliar_labels_come_the_most_frequent_first() -> None:
    found = unfamiliar(WORDS, {"good": 9, "Good": 1, "worse": 4, "Bad": 1})
    assert list(found.items()) == [("worse", 4), ("Bad", 1), ("Good", 1)]
    assert not unfamiliar(frozenset(), {"anything": 1})
