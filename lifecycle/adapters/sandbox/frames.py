"""The result of an inspection as bytes: what a confined process may say, and nothing else.

A frame is a line of JSON, and for a tensor its raw bytes after it. Reading must hold against any bytes:
the writer has run an untrusted artifact. No pickle, no decompression.
"""

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from gateway.core.types import DATATYPES, NUMPY_DTYPES, Array


def write(out: BinaryIO, kind: str, body: dict[str, Any]) -> None:
    """One frame, flushed: what was judged before a crash must arrive."""
    out.write(json.dumps({"kind": kind, **body}).encode() + b"\n")
    out.flush()


def write_tensor(out: BinaryIO, side: str, name: str, array: Array) -> None:
    """One tensor. Text travels as its lengths (int64) and its bytes."""
    if array.dtype == np.object_:
        texts = [v if isinstance(v, bytes) else str(v).encode() for v in array.ravel().tolist()]
        raw = np.array([len(text) for text in texts], np.int64).tobytes() + b"".join(texts)
    else:
        raw = np.ascontiguousarray(array).tobytes()
    head = {"side": side, "name": name, "datatype": DATATYPES[array.dtype], "shape": list(array.shape)}
    write(out, "tensor", {**head, "bytes": len(raw)})
    out.write(raw)
    out.flush()


def read(data: bytes) -> Iterator[dict[str, Any]]:
    """Frames up to the first incomplete one; a tensor's frame holds its `array`.

    Raises:
        ValueError: the bytes are not frames.
    """
    at = 0
    while (end := data.find(b"\n", at)) >= 0:
        frame = json.loads(data[at:end])
        if not isinstance(frame, dict):
            raise ValueError("a frame is not an object")
        at = end + 1
        if frame.get("kind") == "tensor":
            size = int(frame["bytes"])
            if size < 0:
                raise ValueError("a tensor's size is negative")
            if at + size > len(data):
                return
            frame["array"] = _array(data[at : at + size], frame["datatype"], frame["shape"])
            at += size
        yield frame


def _array(raw: bytes, datatype: str, shape: list[int]) -> Array:
    dtype = NUMPY_DTYPES[datatype]
    if dtype != np.object_:
        return np.frombuffer(raw, dtype).reshape(shape)
    count = int(np.prod(shape))
    lengths = np.frombuffer(raw[: 8 * count], np.int64)
    if len(lengths) != count or (lengths < 0).any():
        raise ValueError("a text tensor's lengths are wrong")
    ends = 8 * count + np.cumsum(lengths)
    values = np.empty(count, np.object_)
    values[:] = [raw[end - length : end] for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)]
    return values.reshape(shape)
