"""Runs the e-detector beside ADWIN on the error streams of classifiers whose concept changes.

    python -m benchmarks.statistics.streams [--seeds 30]

As in service: a decision tree learns 2,000 rows of a concept, 1,000 more say how often it is wrong, and it
is served 10,000 rows, then 2,000 of another concept. Labels come one at a time. The e-detector is followed
as in service, with no margin: it knows the reference and learns the rate before a change from what is served;
ADWIN learns from the latter alone. Both start anew after an alarm.

An alarm before the change is false. The first one after it finds the change, and ends the run: a champion
that fell is replaced. Precision, recall and F1 are over all runs. ADWIN also tells of falls of the error;
the row `rises only` leaves those out. Exits with 1 if a bar is missed: F1 at least ADWIN's, at most half
its false alarms.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from benchmarks.statistics.adwin import Adwin
from benchmarks.statistics.concepts import STREAMS, Stream
from benchmarks.statistics.table import Table
from lifecycle.core.performance.change import Track
from lifecycle.core.performance.reference import Reference

TRAINED, REFERENCE, BEFORE, AFTER = 2_000, 1_000, 10_000, 2_000
Errors = NDArray[np.bool_]
Step = Callable[[float], bool]
"""Takes whether one answer was wrong; whether that raises an alarm."""


@dataclass(frozen=True, slots=True)
class Run:
    """One stream, one detector: false alarms, and labels from the change to its alarm; None for missed."""

    false: int
    delay: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """Which of a model's live answers were wrong, and which of its reference; the change is at `BEFORE`."""

    wrong: Errors
    reference: Errors


def case(stream: Stream, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    old, new = rng.choice(stream.concepts, 2, replace=False).tolist()
    model = DecisionTreeClassifier(min_samples_leaf=20, random_state=seed)
    model.fit(*stream.draw(rng, old, TRAINED))
    wrong = []
    for concept, rows in ((old, REFERENCE), (old, BEFORE), (new, AFTER)):
        x, truth = stream.draw(rng, concept, rows)
        wrong.append(np.asarray(model.predict(x) != truth, np.bool_))
    return Case(np.concatenate(wrong[1:]), wrong[0])


def follow(given: Case, fresh: Callable[[], Step]) -> Run:
    false, step = 0, fresh()
    for at, wrong in enumerate(given.wrong.astype(np.float64).tolist()):
        if step(wrong):
            if at >= BEFORE:
                return Run(false, at - BEFORE + 1)
            false, step = false + 1, fresh()
    return Run(false, None)


def edetector(reference: Errors) -> Step:
    track = Track.of(Reference.of_classes(len(reference), int(reference.sum())), margin=0.0)

    def step(wrong: float) -> bool:
        nonlocal track
        track = track.feed(wrong, 1)
        return track.detector.alarm

    return step


def adwin() -> Step:
    return Adwin().update


def adwin_rises() -> Step:
    detector = Adwin()

    def step(wrong: float) -> bool:
        before = detector.mean
        return detector.update(wrong) and detector.mean > before

    return step


def f1(runs: list[Run]) -> float:
    found, false = sum(run.delay is not None for run in runs), sum(run.false for run in runs)
    return 2 * found / (len(runs) + found + false)


def told(runs: list[Run]) -> str:
    delays = [run.delay for run in runs if run.delay is not None]
    middle = f"{np.median(delays):,.0f}" if delays else "-"
    return f"F1 {f1(runs):.3f}, {sum(run.false for run in runs)} false, {middle}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=30)
    seeds = range(parser.parse_args().seeds)
    table = Table()
    table.heading("F1, false alarms, median delay in labels", "ADWIN (0.002)", "e-detector (1e6)")
    every: dict[str, list[Run]] = {"ours": [], "adwin": [], "rises": []}
    for name, stream in STREAMS.items():
        cases = [case(stream, seed) for seed in seeds]
        ours = [follow(each, partial(edetector, each.reference)) for each in cases]
        theirs, rises = ([follow(each, fresh) for each in cases] for fresh in (adwin, adwin_rises))
        judged(table, name, theirs, ours)
        table.note("  rises only", told(rises), "")
        for kind, runs in zip(every, (ours, theirs, rises), strict=True):
            every[kind].extend(runs)
    judged(table, "all", every["adwin"], every["ours"])
    table.note("  rises only", told(every["rises"]), "")
    return table.end()


def judged(table: Table, name: str, theirs: list[Run], ours: list[Run]) -> None:
    few = sum(run.false for run in ours) <= sum(run.false for run in theirs) / 2
    table.check(name, told(theirs), told(ours), few and f1(ours) >= f1(theirs))


if __name__ == "__main__":
    sys.exit(main())
