"""What is made of the words of a process that ran an untrusted model."""

import io
import math

import numpy as np
import pytest

from lifecycle.adapters.sandbox import frames
from lifecycle.adapters.sandbox.testimony import told
from lifecycle.core.inspection import REFERENCE, Inspection
from lifecycle.core.validation import stopped
from lifecycle.core.verdict import Finding, Verdict


class Witness:
    def __init__(self) -> None:
        self.out = io.BytesIO()
        self.say("ready", lacking=[])

    def say(self, kind: str, **body: object) -> "Witness":
        frames.write(self.out, kind, body)
        return self

    def show(self, side: str, name: str, rows: int) -> "Witness":
        frames.write_tensor(self.out, side, name, np.zeros((rows, 2), np.float32))
        return self

    def told(self, why: str = "") -> Inspection:
        return told(self.out.getvalue(), why)


def stop(seen: Inspection) -> Finding:
    found = stopped(seen.findings)
    assert found is not None
    return found


def test_the_gate_under_way_is_the_one_that_failed() -> None:
    found = stop(Witness().say("begin", gate="golden").told("it took longer than 6 s"))
    assert (found.name, found.verdict, found.reason) == ("golden", Verdict.FAIL, "it took longer than 6 s")


def test_a_break_after_the_version_stood_everything_is_nobodys_fault() -> None:
    found = stop(Witness().say("begin", gate="batching").say("alone").told("it crashed"))
    assert (found.name, found.verdict) == ("cost", Verdict.ERROR)


def test_silence_before_the_artifact_says_nothing_of_it() -> None:
    assert stop(told(b"", "no memory")).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    "lie",
    [
        Witness().say("begin", gate="approved by all"),
        Witness().say("finding", name="accuracy", verdict="PASS", reason="", numbers={}),
        Witness().say("finding", name="load", verdict="SURE", reason="", numbers={}),
        Witness().say("cost", who="own", latency_ms="fast", memory_mb=1),
        Witness().say("cost", who="own", latency_ms=10**400, memory_mb=1),
        Witness().say("tensor", side="a", name="b", datatype="FP32", shape=[1], bytes=math.inf),
        Witness().show("reference/outputs", "y", 3).show("reference/labels", "label", 4).say("done"),
    ],
)
def test_what_cannot_be_is_not_believed(lie: Witness) -> None:
    found = stop(lie.told())
    assert (found.verdict, found.reason) == (Verdict.FAIL, "the artifact corrupted its inspection")


def test_all_of_one_set_is_gathered() -> None:
    witness = Witness().show("reference/outputs", "y", 3).show("reference/beside", "y", 3)
    seen = witness.say("alone").say("done").told()
    assert set(seen.sets) == {REFERENCE}
    assert seen.sets[REFERENCE].beside["y"].shape == (3, 2)


def test_long_words_are_cut() -> None:
    witness = Witness().say("finding", name="load", verdict="FAIL", reason="x" * 10_000, numbers={})
    assert len(stop(witness.told()).reason) == 500
