"""The reference profile of a version: the bins of its features and what the reference data put in them.

It travels with the version, so every worker counts live traffic into the same bins. Counts hold no rows,
but the categories of text inputs are kept by value.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.core.binning import Bin, Categorical, Counts, Feature, Floats, Ordered, Value
from gateway.core.types import FLOAT_KINDS, Array, Tensors

MAX_FEATURES = 4096
"""A tensor with more features per row than this is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Features by key (`inputs.<tensor>`, `outputs.<tensor>`) and the reference counts, [features, bins].

    An input tensor's rows are flattened: numbers are ordered features, booleans and text categorical
    ones. A float output [rows, K > 1] gives the categorical `<tensor>.class` (argmax) and the ordered
    `<tensor>.score` (max); [rows] or [rows, 1] gives the score alone. An integer, boolean or text output
    [rows] or [rows, 1] is one categorical feature. Other tensors are left out.
    """

    features: Mapping[str, tuple[Feature, ...]]
    reference: Mapping[str, Counts]

    @classmethod
    def of(cls, inputs: Tensors, outputs: Tensors, like: "Profile | None" = None) -> "Profile":
        """Take the profile of reference data; each array is [rows, ...].

        Args:
            like: of an earlier version: scores of the same name are cut where it cuts them, as only counts of
                the same bins can be compared.
        """
        cuts = like._scores() if like is not None else {}
        features = {
            key: tuple(cuts.get((key, column.name)) or column.feature() for column in columns)
            for key, columns in _observed(inputs, outputs)
            if columns
        }
        return cls(features, cls(features, {}).count(inputs, outputs))

    def _scores(self) -> dict[tuple[str, str], Ordered]:
        return {
            (key, feature.name): feature
            for key, features in self.features.items()
            if key.startswith("outputs.")
            for feature in features
            if isinstance(feature, Ordered)
        }

    def keys(self) -> tuple[str, ...]:
        return tuple(self.features)

    def names(self, key: str) -> tuple[str, ...]:
        """The features of a key, e.g. `pixels[3]`, in the order of the counts' rows."""
        return tuple(feature.name for feature in self.features[key])

    def ordered(self, key: str) -> NDArray[np.bool_]:
        """Per feature of a key: ordered (True) or categorical (False)."""
        return np.array([isinstance(feature, Ordered) for feature in self.features[key]], np.bool_)

    def count(self, inputs: Tensors, outputs: Tensors) -> dict[str, Counts]:
        """Count rows into the reference's bins: int64 [features, bins] by key, as in `reference`.

        A key is absent when its tensor is, or when the tensor has another number of features.
        """
        counts = {}
        for key, columns in _observed(inputs, outputs):
            features = self.features.get(key, ())
            if not features or len(features) != len(columns):
                continue
            table = np.zeros((len(features), max(feature.width for feature in features)), np.int64)
            for feature, column, row in zip(features, columns, table, strict=True):
                column.count(feature, row)
            counts[key] = table
        return counts

    def to_bytes(self) -> bytes:
        """The profile as compressed JSON. Floats come back exactly as they were."""
        entries = [
            {
                "key": key,
                "features": [_describe(f) for f in features],
                "reference": self.reference[key].tolist(),
            }
            for key, features in self.features.items()
        ]
        return zlib.compress(json.dumps(entries, separators=(",", ":")).encode())

    @classmethod
    def from_bytes(cls, data: bytes) -> "Profile":
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: the bytes are not a profile.
        """
        try:
            entries = json.loads(zlib.decompress(data))
            features = {
                entry["key"]: tuple(_rebuild(item) for item in entry["features"]) for entry in entries
            }
            reference = {entry["key"]: np.array(entry["reference"], np.int64) for entry in entries}
        except (zlib.error, ValueError, KeyError, TypeError, AttributeError):
            raise ValueError("these bytes are not a reference profile") from None
        return cls(features, reference)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """One ordered feature's values, float64 [rows], and whether all of its tensor's are finite."""

    name: str
    values: Floats
    finite: bool

    def feature(self) -> Feature:
        return Ordered.of(self.name, self.values)

    def count(self, feature: Feature, into: Counts) -> None:
        if not isinstance(feature, Ordered):
            return
        values = self.values
        if not self.finite:
            into[Bin.NAN] += np.count_nonzero(np.isnan(values))
            into[Bin.POS_INF] += np.count_nonzero(np.isposinf(values))
            into[Bin.NEG_INF] += np.count_nonzero(np.isneginf(values))
            values = values[np.isfinite(values)]
        feature.count(values, into)


@dataclass(frozen=True, slots=True)
class _Categories:
    """One categorical feature's values, and how many rows had no category for want of a number."""

    name: str
    values: list[Value]
    nans: int = 0

    def feature(self) -> Feature:
        return Categorical.of(self.name, self.values)

    def count(self, feature: Feature, into: Counts) -> None:
        if isinstance(feature, Categorical):
            into[Bin.NAN] += self.nans
            feature.count(self.values, into)


_Column = _Numbers | _Categories


def _observed(inputs: Tensors, outputs: Tensors) -> Iterator[tuple[str, list[_Column]]]:
    sides: tuple[tuple[str, Tensors, Callable[[str, Array], list[_Column]]], ...] = (
        ("inputs", inputs, _of_input),
        ("outputs", outputs, _of_output),
    )
    for side, tensors, columns in sides:
        for name, array in tensors.items():
            yield f"{side}.{name}", columns(name, array)


def _of_input(name: str, array: Array) -> list[_Column]:
    width = int(np.prod(array.shape[1:]))
    if not array.ndim or not 0 < width <= MAX_FEATURES:
        return []
    names = [name] if width == 1 else [f"{name}[{at}]" for at in _places(array.shape[1:])]
    flat = array.reshape(len(array), width).T
    if array.dtype.kind in "bO":
        return [_Categories(names[i], _plain(flat[i])) for i in range(width)]
    columns = np.ascontiguousarray(flat, np.float64)
    finite = bool(np.isfinite(columns).all())
    return [_Numbers(names[i], columns[i], finite) for i in range(width)]


def _places(shape: tuple[int, ...]) -> Iterable[str]:
    return (",".join(map(str, at)) for at in np.ndindex(shape))


def _of_output(name: str, array: Array) -> list[_Column]:
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or not array.shape[1]:
        return []
    if array.dtype.kind not in FLOAT_KINDS:
        return [_Categories(name, _plain(array[:, 0]))] if array.shape[1] == 1 else []
    scores = np.asarray(array, np.float64)
    best = scores.max(axis=1)
    score = _Numbers(f"{name}.score", best, bool(np.isfinite(best).all()))
    if array.shape[1] == 1:
        return [score]
    known = ~np.isnan(best)
    classes = scores[known].argmax(axis=1).tolist()
    return [_Categories(f"{name}.class", classes, len(scores) - len(classes)), score]


def _plain(column: Array) -> list[Value]:
    if column.dtype.kind != "O":
        return [int(value) for value in column.tolist()]
    return [value.encode() if isinstance(value, str) else bytes(value) for value in column.tolist()]


def _describe(feature: Feature) -> dict[str, Any]:
    if isinstance(feature, Ordered):
        return {"name": feature.name, "low": feature.low, "edges": feature.edges.tolist()}
    # Latin-1 maps every byte to one character, so any byte string survives JSON.
    text = any(isinstance(value, bytes) for value in feature.values)
    values, tail = (
        [value.decode("latin-1") if isinstance(value, bytes) else value for value in group]
        for group in (feature.values, sorted(feature.tail))
    )
    return {"name": feature.name, "text": text, "values": values, "tail": tail, "open": feature.open}


def _rebuild(item: dict[str, Any]) -> Feature:
    if "edges" in item:
        return Ordered(item["name"], item["low"], np.array(item["edges"], np.float64))
    values, tail = (
        [value.encode("latin-1") if item["text"] else value for value in item[group]]
        for group in ("values", "tail")
    )
    return Categorical(item["name"], tuple(values), frozenset(tail), item["open"])
