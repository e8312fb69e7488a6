"""The words of a request, independent of the protocol it came by.

Arrays in here are read-only by convention: a codec may hand out views of the request's bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from gateway.errors import SERVER_FAULTS, ErrorCode

Array = NDArray[np.generic]
Tensors = Mapping[str, Array]
VersionKey = tuple[str, int]
"""A model and one of its versions."""

NUMPY_DTYPES: dict[str, np.dtype[np.generic]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "BYTES": np.dtype(np.object_),
}
"""V2 datatype -> dtype of the array that carries it. BYTES arrays hold `bytes`."""

DATATYPES: dict[np.dtype[np.generic], str] = {dtype: name for name, dtype in NUMPY_DTYPES.items()}

FLOAT_KINDS = "fV"
"""Kinds of the dtypes of floats. BF16 is not numpy's own: it has the kind of raw memory."""


def joined(parts: Sequence[Tensors]) -> dict[str, Array]:
    """The rows of all parts, one after the other; each part has the same names. Raises ValueError for shapes
    that differ in more than their first dimension."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


_TEXT_BYTES = 33
"""Of each text beside its own bytes, as CPython keeps it."""


def memory_of(array: Array) -> int:
    """Memory that an array holds. `nbytes` leaves out the texts of BYTES, which may be all of it."""
    if not array.dtype.hasobject:
        return array.nbytes
    return array.nbytes + array.size * _TEXT_BYTES + sum(map(len, array.ravel().tolist()))


class Role(StrEnum):
    """What a version does with live traffic."""

    CHAMPION = "champion"
    CANARY = "canary"
    SHADOW = "shadow"
    PINNED = "pinned"
    """Asked for by number or alias. Outside the split, so never evidence for or against a canary."""


class Outcome(StrEnum):
    """How a request ended, as the version is judged by it."""

    OK = "ok"
    INVALID_OUTPUT = "invalid_output"
    """Answered, but with NaN or infinity in an output."""
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    REFUSED = "refused"
    """Turned away by a limit before it ran."""

    @classmethod
    def of(cls, code: ErrorCode) -> "Outcome":
        """Of a request without an answer."""
        if code is ErrorCode.OVERLOADED:
            return cls.REFUSED
        return cls.SERVER_ERROR if code in SERVER_FAULTS else cls.CLIENT_ERROR


NO_EVIDENCE = frozenset({Outcome.CLIENT_ERROR, Outcome.REFUSED})
"""Outcomes that say nothing of the version, neither for nor against it."""


# Not frozen: built once per request, and a frozen dataclass costs 3x as much to build.
@dataclass(slots=True)
class InferRequest:
    """One inference as the pipeline sees it.

    `version` pins one, by number or alias, and bypasses the weights. `key` makes routing sticky.
    `outputs` names the outputs wanted; empty means all of them.
    `deadline_ns` is on the monotonic clock; 0 means none.
    """

    model: str
    version: int | str | None
    inputs: dict[str, Array]
    outputs: tuple[str, ...] = ()
    id: str = ""
    key: str = ""
    deadline_ns: int = 0
    protocol: str = "http"


@dataclass(slots=True)
class InferResponse:
    """An answer. `version` is the one that served, never the one that was asked for.

    `arrived_ns` is when the engine got the request, on the monotonic clock, and `latency_ns` what it took, of
    which it stood still for `waited_ns`: for a place, or for its version to load.
    """

    model: str
    version: int
    role: Role
    outputs: dict[str, Array]
    id: str
    prediction_id: str
    arrived_ns: int = 0
    latency_ns: int = 0
    waited_ns: int = 0
