"""Scanned digits, a scanner that fades, and a model's answers: the story that retraining tests tell."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from gateway.core.capture import Capture
from gateway.core.profile import Profile
from gateway.core.summary import Window, latency_histogram
from gateway.core.types import Array, Outcome, Role
from lifecycle.recipes import tabular
from lifecycle.recipes.training import TrainingData

MODEL = "digits"
REFERENCE_ROWS = 900


def _digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """In an order of chance: the file has one writer after the other, and they differ."""
    digits = load_digits()
    order = np.random.default_rng(1).permutation(len(digits.target))
    return digits.data[order], digits.target[order]


DATA, TARGET = _digits()


def pages(n: int, *, faded: bool = False, seed: int = 0) -> tuple[Array, Array]:
    """Images FP32 [n, 64] that no reference row is of, and their digits; faded ones are pale and noisy."""
    chance = np.random.default_rng(seed)
    rows = chance.integers(REFERENCE_ROWS, len(TARGET), n)
    images = DATA[rows] + chance.normal(0, 0.3, (n, 64))
    if faded:
        images = images * 0.3 + 5 + chance.normal(0, 0.8, (n, 64))
    return images.astype(np.float32), TARGET[rows]


def reference() -> tuple[Array, Array]:
    chance = np.random.default_rng(9)
    images = DATA[:REFERENCE_ROWS] + chance.normal(0, 0.3, (REFERENCE_ROWS, 64))
    return images.astype(np.float32), TARGET[:REFERENCE_ROWS]


def write_reference(path: Path) -> Path:
    images, labels = reference()
    pq.write_table(pa.table({"inputs.input": list(images), "label": labels}), path)
    return path


def write_model(path: Path, rows: int = 2) -> Path:
    """Learnt from one of so many reference rows."""
    images, labels = reference()
    data = TrainingData({"input": images[::rows]}, labels[::rows], np.ones(len(labels[::rows])))
    path.write_bytes(tabular.logistic(data).SerializeToString())
    return path


class Served:
    """A model in memory and its reference profile, as a worker has them."""

    def __init__(self, artifact: Path) -> None:
        self._session = ort.InferenceSession(str(artifact), ort.SessionOptions(), ["CPUExecutionProvider"])
        images, _ = reference()
        self.profile = Profile.of({"input": images}, self.answer(images))

    def answer(self, images: Array) -> dict[str, Array]:
        names = ["label", "probabilities"]
        return dict(zip(names, self._session.run(names, {"input": images}), strict=True))

    def accuracy(self, images: Array, labels: Array) -> float:
        return float(np.mean(self.answer(images)["label"] == labels))

    def window(self, images: Array, at: float, version: int = 1, role: Role = Role.CHAMPION) -> Window:
        """What a worker says of having answered these rows one by one."""
        counts = self.profile.count({"input": images}, self.answer(images))
        n = len(images)
        latency = latency_histogram(np.full(n, 300_000))
        return Window(
            MODEL,
            version,
            role,
            1,
            at - 1,
            at,
            {Outcome.OK: n},
            {("http", Outcome.OK): n},
            latency,
            n,
            counts,
        )

    def captures(self, images: Array, at: float, version: int = 1) -> list[Capture]:
        """Predictions `<at>-<i>`, a millisecond apart."""
        outputs = self.answer(images)
        return [
            Capture(
                f"{at:g}-{i}",
                at + i / 1_000,
                MODEL,
                version,
                Role.CHAMPION,
                {"input": images[i : i + 1]},
                {name: array[i : i + 1] for name, array in outputs.items()},
            )
            for i in range(len(images))
        ]


def labels_for(captures: list[Capture], labels: Array) -> pa.Table:
    return pa.table({"prediction_id": [capture.prediction_id for capture in captures], "label": labels})
