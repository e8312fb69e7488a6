"""The load generator counts every answer and every failure, and notices a worn scanner."""

import itertools
import threading

import numpy as np
from numpy.typing import NDArray

from lifecycle.demo.callers import Answer
from lifecycle.demo.load import Load

NOBODY = "http://127.0.0.1:9"


class Reader:
    """Answers class 0 always, and fails every tenth call."""

    name = "reader"

    def __init__(self) -> None:
        self.calls = itertools.count(1)
        self.ink: list[float] = []
        self.enough = threading.Event()

    def infer(self, image: NDArray[np.float32]) -> Answer:
        number = next(self.calls)
        self.ink.append(float(image.sum()))
        if number == 200:
            self.enough.set()
        if number % 10 == 0:
            raise ConnectionError("gone")
        return Answer(1, f"p{number}", 0, number % 2 == 0)

    def reconnect(self) -> None: ...

    def close(self) -> None: ...


def test_answers_failures_and_reasons_are_counted() -> None:
    reader = Reader()
    load = Load("digits", NOBODY, rate=5_000, seed=1)
    load.start([reader])
    assert reader.enough.wait(20)
    load.stop()
    tally = load.take()
    calls = next(reader.calls) - 1
    assert tally.sent == calls
    assert tally.failed == calls // 10
    assert sum(tally.served.values()) == tally.sent - tally.failed
    assert tally.reasons.most_common(1)[0][0] == "reader: ConnectionError: gone"
    assert 0 < tally.unseen_right < tally.unseen < tally.sent
    assert load.take().sent == 0


def test_a_worn_scanner_sends_fainter_scans() -> None:
    means = []
    for worn in (False, True):
        reader = Reader()
        load = Load("digits", NOBODY, rate=5_000, seed=1)
        if worn:
            load.wear_out()
        load.start([reader])
        assert reader.enough.wait(20)
        load.stop()
        means.append(np.mean(reader.ink))
    assert means[1] < 0.7 * means[0]
