"""Labels and numbers from outside: checked, spelled one way, and handed to the capture log."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateway.core.profile import Profile
from gateway.core.types import Array
from lifecycle.commands.learning.label_file import COLUMNS, read_labels
from lifecycle.commands.learning.labelled import Reference
from lifecycle.commands.lookup import find_model
from lifecycle.core.analysis.metrics import PREFIX
from lifecycle.core.governance.quota import Quota
from lifecycle.core.learning.feedback import SKEW_S
from lifecycle.core.performance.answers import spelled
from lifecycle.core.performance.classes import classes, misfit, unfamiliar
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import CaptureLog, Entry, LabelReceipt, Store
from lifecycle.tensors import to_array

LONGEST_ID = 256
MOST_TOLD = 8
LONGEST_TOLD = 40
NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?")
KINDS = (
    (pa.types.is_date, "dates"),
    (pa.types.is_time, "times of day"),
    (pa.types.is_timestamp, "times"),
    (pa.types.is_duration, "lengths of time"),
    (pa.types.is_dictionary, "strings"),
    (pa.types.is_large_string, "strings"),
    (pa.types.is_decimal, "decimals"),
    (pa.types.is_nested, "lists or records"),
)
METRIC = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: its labels (None without any), and the numbers of each metric in it.

    `unfamiliar` counts labels by class that neither the champion nor its reference data name. They stand: a
    class may be new. But no answer of the champion's agrees with them.
    """

    labels: LabelReceipt | None
    metrics: Mapping[str, LabelReceipt]
    unfamiliar: Mapping[str, int] = field(default_factory=dict)

    @property
    def unknown(self) -> int:
        return sum(receipt.unknown for receipt in self.all)

    @property
    def all(self) -> tuple[LabelReceipt, ...]:
        return (*((self.labels,) if self.labels else ()), *self.metrics.values())


def tidy(labels: pa.Table) -> tuple[pa.Table | None, dict[str, pa.Table]]:
    """The labels, None without any, and the numbers by metric: columns `prediction_id` and `label`, no nulls.

    Ids are strings, labels int64, float64 or strings, numbers float64. A column `feedback.NAME` holds the
    numbers of a metric; where there is one, a row may leave out what it has nothing to say of. `at` is when
    they became known, Unix seconds or a time (UTC, unless it says otherwise); a null stands for now. Other
    columns are left out.

    Raises LifecycleError INVALID.
    """
    metrics = [name for name in labels.column_names if name.startswith(PREFIX)]
    wanted = COLUMNS[:1] if metrics else COLUMNS
    if missing := [name for name in wanted if name not in labels.column_names]:
        columns = ", ".join(map(repr, labels.column_names[:MOST_TOLD]))
        raise _invalid(
            f"column {missing[0]!r} is missing; labels have `prediction_id` and `label`, this has {columns}"
        )
    if not labels.num_rows:
        raise _invalid("there are no labels in it")
    kept = [name for name in labels.column_names if name in (*COLUMNS, "at")]
    labels = labels.select([*kept, *metrics]).unify_dictionaries()
    for name in wanted:
        if labels[name].null_count:
            count = labels[name].null_count
            raise _invalid(f"column {name!r} has {count} rows without a value; leave these rows out")
    given = {"prediction_id": _ids(labels)}
    if "at" in labels.column_names:
        given["at"] = _times(labels)
    truth = _said(given, _labels(labels)) if "label" in labels.column_names else None
    numbers = {_metric(name): _said(given, _numbers(labels, name)) for name in metrics}
    found = {name: table for name, table in numbers.items() if table.num_rows}
    return (truth if truth is not None and truth.num_rows else None), found


def _said(given: Mapping[str, "pa.ChunkedArray[Any]"], values: "pa.ChunkedArray[Any]") -> pa.Table:
    return pa.table({**given, "label": values}).filter(values.is_valid())


def _metric(column: str) -> str:
    name = column.removeprefix(PREFIX)
    if not METRIC.fullmatch(name):
        raise _invalid(f"{name!r} is no name of a metric: letters, digits, `_`, `.` and `-`, 64 at most")
    return name


def _numbers(labels: pa.Table, column: str, wanted: str = "numbers") -> "pa.ChunkedArray[Any]":
    kind = labels[column].type
    numeric = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_null)
    if not any(test(kind) for test in numeric):
        raise _invalid(
            f"column {column!r} must hold {wanted}, not {_called(kind)} such as {_odd(labels[column])!r}"
        )
    if pa.types.is_boolean(kind):
        values = labels[column].cast(pa.int64()).cast(pa.float64())
    else:
        values = labels[column].cast(pa.float64(), safe=False)
    if pc.all(pc.is_finite(values)).as_py() is False:
        raise _invalid(f"a number in {column!r} is NaN or infinite")
    return values


def _called(kind: pa.DataType) -> str:
    return next((word for test, word in KINDS if test(kind)), f"{kind}s")


def _odd(values: "pa.ChunkedArray[Any]") -> str:
    """The first value that is no number; else, all of them being numbers written as text, the first."""
    told = [str(value)[:LONGEST_TOLD] for value in values.to_pylist() if value is not None]
    return next((value for value in told if not NUMBER.fullmatch(value)), "".join(told[:1]))


def _times(labels: pa.Table) -> "pa.ChunkedArray[Any]":
    column = labels["at"]
    if not pa.types.is_timestamp(column.type):
        return _numbers(labels, "at", "Unix seconds, or times such as 2026-11-26T12:00:00Z")
    micros = column.cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.int64())
    return pc.divide(micros.cast(pa.float64()), pa.scalar(1e6))


def _ids(labels: pa.Table) -> "pa.ChunkedArray[Any]":
    try:
        ids = cast("pa.ChunkedArray[Any]", labels["prediction_id"].cast(pa.string()))
    except pa.ArrowException:
        raise _invalid("column 'prediction_id' must hold text") from None
    if pc.any(pc.greater(pc.utf8_length(ids), pa.scalar(LONGEST_ID))).as_py():
        raise _invalid(f"a prediction id has at most {LONGEST_ID} characters")
    return ids


def _labels(labels: pa.Table) -> "pa.ChunkedArray[Any]":
    column = labels["label"]
    kind = column.type.value_type if isinstance(column.type, pa.DictionaryType) else column.type
    try:
        if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
            return column.cast(pa.int64())
        if pa.types.is_floating(kind):
            values = column.cast(pa.float64())
            if not pc.all(pc.is_finite(values)).as_py():
                raise _invalid("a label is NaN or infinite")
            return values
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return column.cast(pa.string())
    except pa.ArrowException:
        raise _invalid("a label does not fit into 64 bits") from None
    raise _invalid("column 'label' must hold numbers, booleans or text")


class Feedback:
    """Takes labels for any model that is registered.

    Args:
        profile: of a version's reference data, by model and number; None if it has none.
        reference: reads a version's reference data.
        per_minute: labels that one caller may send in a minute.
    """

    def __init__(
        self,
        captures: CaptureLog,
        store: Store,
        profile: Callable[[str, int], Profile | None],
        reference: Reference,
        clock: Callable[[], float] = time.time,
        per_minute: int = 1_000_000,
    ) -> None:
        self._captures = captures
        self._store = store
        self._profile = profile
        self._reference = reference
        self._clock = clock
        self._quota = Quota(per_minute)
        self._named: dict[str, tuple[tuple[int, str], frozenset[str]]] = {}
        """By model, its champion's classes. A version may get a profile after it was registered."""

    def ingest(self, model: str, labels: pa.Table | bytes, actor: str) -> Receipt:
        """Add labels and numbers; durable on return, and safe to send again.

        Raises:
            LifecycleError: NOT_FOUND for an unknown model, INVALID for labels that cannot be used, THROTTLED
                for too many at once, CONFLICT if every one of them contradicts one that stands or is of the
                wrong time.
        """
        registered = find_model(self._store, model)
        truth, numbers = tidy(read_labels(labels) if isinstance(labels, bytes) else labels)
        strange = self._unfamiliar(registered, to_array(truth["label"])) if truth is not None else {}
        given = ([truth] if truth is not None else []) + list(numbers.values())
        if not given:
            raise _invalid("there are no labels in it")
        rows = sum(table.num_rows for table in given)
        if waits_s := self._quota.wait(actor, rows, time.monotonic()):
            message = f"too many labels from {actor!r}; none was taken. Send them again in {waits_s:.0f} s"
            raise LifecycleError(LifecycleCode.THROTTLED, message)
        now = self._clock()
        if ahead := sum(_after(table, now + SKEW_S) for table in given):
            raise _invalid(f"{ahead} labels are from the future; `at` is in Unix seconds, in UTC")
        label = partial(self._captures.label, model, received_at=now, source=actor)
        receipt = Receipt(
            label(labels=truth) if truth is not None else None,
            {name: label(labels=table, metric=name) for name, table in numbers.items()},
            strange,
        )
        if receipt.labels is not None:
            told = asdict(receipt.labels) | ({"unfamiliar": strange} if strange else {})
            self._store.commit(Entry(actor, "labels.received", model, told))
        for name, each in receipt.metrics.items():
            self._store.commit(Entry(actor, "feedback.received", model, {"metric": name} | asdict(each)))
        if sum(each.aside for each in receipt.all) == rows:
            raise LifecycleError(LifecycleCode.CONFLICT, f"what was sent is put aside: {_why(receipt)}")
        return receipt

    def _unfamiliar(self, model: Model, labels: Array) -> dict[str, int]:
        """Labels by class that the champion does not name, the most frequent ones.

        Raises LifecycleError INVALID for labels that can only be meant for another model.
        """
        versions = {version.number: version for version in self._store.versions(model.name)}
        version = versions.get(model.champion) or (versions[max(versions)] if versions else None)
        if version is None:
            return {}
        named = self._classes(version)
        if why := misfit(version.signature.outputs, named, labels):
            raise _invalid(f"labels of {model.name!r} are {why}")
        strange = unfamiliar(named, Counter(spelled(labels).tolist())) if named else {}
        return {label[:LONGEST_TOLD]: count for label, count in list(strange.items())[:MOST_TOLD]}

    def _classes(self, version: Version) -> frozenset[str]:
        key, known = (version.number, version.profile_digest), self._named.get(version.model)
        if known is not None and known[0] == key:
            return known[1]
        try:
            profile = self._profile(version.model, version.number)
            rows = self._reference(version) if version.reference else pa.table({})
        except LifecycleError:
            return frozenset()  # a store that does not answer holds up no labels
        labels = to_array(rows["label"]) if "label" in rows.column_names else np.zeros(0)
        named = classes(version.signature.outputs, profile, labels)
        self._named[version.model] = (key, named)
        return named


def _after(labels: pa.Table, at: float) -> int:
    if "at" not in labels.column_names:
        return 0
    return labels.filter(pc.greater(labels["at"], pa.scalar(at))).num_rows


def _why(receipt: Receipt) -> str:
    reasons = {
        "these predictions have other labels, which stand": sum(each.conflicting for each in receipt.all),
        "labels are from before their prediction": sum(each.early for each in receipt.all),
        "labels are from beyond the horizon": sum(each.late for each in receipt.all),
    }
    return "; ".join(reason for reason, count in reasons.items() if count)


def _invalid(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, message)
