"""The bad version is bad in the way that the demo says, and its reference data hides it."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pyarrow.parquet as pq

from lifecycle.demo.scanner import world
from lifecycle.demo.versions import FIRST_RECIPE, train, write_bad


def test_the_bad_version_names_digits_well_and_sometimes_gives_nan(tmp_path: Path) -> None:
    scans = world(np.random.default_rng(7)).unseen
    good, _ = train("digits", FIRST_RECIPE, scans, tmp_path)
    model, reference = write_bad(good, scans, tmp_path)
    session = ort.InferenceSession(str(model), ort.SessionOptions(), ["CPUExecutionProvider"])
    label, probabilities = session.run(["label", "probabilities"], {"input": scans.images})
    assert np.mean(np.asarray(label) == scans.labels) > 0.8
    assert 0.01 < np.isnan(np.asarray(probabilities)).any(axis=1).mean() < 0.5

    light = np.array(pq.read_table(reference)["inputs.input"].to_pylist(), np.float32)
    (probabilities,) = session.run(["probabilities"], {"input": light})
    assert np.isfinite(np.asarray(probabilities)).all()
