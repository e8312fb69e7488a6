"""A turn measures what it can: a failed case leaves the others, a failed system leaves a reason."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from benchmarks.load import turns
from benchmarks.load.generators import Sample
from benchmarks.load.question import Question, make
from benchmarks.load.systems import Running
from benchmarks.load.turns import START, take


class Pretender:
    """A system that starts, or does not."""

    cases = ("json", "grpc", "json-one")

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.ended = False
        self.alive = True

    @contextlib.contextmanager
    def start(self, _questions: Sequence[Question], _folder: Path) -> Iterator[Running]:
        if self.refusal:
            raise RuntimeError(self.refusal)
        try:
            yield Running("mark", 1, 2, alive=lambda: self.alive)
        finally:
            self.ended = True


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Question]:
    return {"logistic": make("logistic", tmp_path_factory.mktemp("models"))}


def run(
    system: Pretender, questions: Mapping[str, Question], cases: Sequence[str], folder: Path
) -> turns.Turn:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(turns, "SYSTEMS", {"it": system})
        patched.setattr(turns, "prepare", lambda name, *_: _loads(name, system))
        return take("it", cases, questions, 7, folder)


def _loads(name: str, system: Pretender) -> object:
    if name == "grpc":
        raise ValueError("wrong answer")
    if name == "json-one":
        system.alive = False
    return lambda seconds: Sample(seconds, float(seconds))


def test_a_case_that_fails_leaves_the_others(questions: Mapping[str, Question], tmp_path: Path) -> None:
    system = Pretender()
    turn = run(system, questions, ["json", "grpc", "image-json"], tmp_path)
    assert turn.samples == {"json": Sample(7, 7.0)}
    assert turn.failures == {"grpc": "wrong answer"}
    assert system.ended


def test_one_that_ends_by_itself_is_told(questions: Mapping[str, Question], tmp_path: Path) -> None:
    turn = run(Pretender(), questions, ["json-one", "json"], tmp_path)
    assert list(turn.samples) == ["json-one"]
    assert turn.failures == {START: "it ended by itself"}


def test_one_that_does_not_start_is_told(questions: Mapping[str, Question], tmp_path: Path) -> None:
    assert run(Pretender("no port"), questions, ["json"], tmp_path).failures == {START: "no port"}


def test_one_that_can_run_none_is_not_started(questions: Mapping[str, Question], tmp_path: Path) -> None:
    turn = run(Pretender("never"), questions, ["image-json"], tmp_path)
    assert (turn.samples, turn.failures) == ({}, {})
