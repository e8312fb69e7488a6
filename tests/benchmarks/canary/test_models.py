"""The drawn models fail exactly as often as they should, and work as much."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from benchmarks.canary.models import write


def answer(session: ort.InferenceSession, draw: float, work: float) -> float:
    return float(session.run(["y"], {"x": np.array([[draw, work]], np.float32)})[0][0])


def test_it_fails_for_its_share_of_the_draws(tmp_path: Path) -> None:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    path = write(tmp_path / "m.onnx", 0.02, 1.2, 1)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    for draw in (0.0, 0.499, 0.521, 0.999, 1.0):
        assert answer(session, draw, 0) == 1.0
    for draw in (0.5, 0.51, 0.5199):
        with pytest.raises(Exception, match="out of data bounds"):
            answer(session, draw, 0)


def test_the_rounds_are_multiplied(tmp_path: Path) -> None:
    path = write(tmp_path / "m.onnx", 0.0, 1.5, 1)
    session = ort.InferenceSession(str(path), ort.SessionOptions(), providers=["CPUExecutionProvider"])
    assert answer(session, 0.5, 100) == pytest.approx(0.999**150, rel=1e-4)


def test_a_mark_makes_another_artifact(tmp_path: Path) -> None:
    one, two = (write(tmp_path / f"{mark}.onnx", 0.0, 1.0, mark).read_bytes() for mark in (1, 2))
    assert one != two
