import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.types import Array
from lifecycle.adapters.sandbox import frames


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.array([True, False]),
        np.array([[b"a", b""], [b"\x00long\n", "text"]], object),
        np.empty((0, 3), np.int64),
    ],
)
def test_tensors_survive(array: Array) -> None:
    out = io.BytesIO()
    frames.write_tensor(out, "outputs", "y", array)
    frames.write(out, "done", {})
    tensor, done = frames.read(out.getvalue())
    if array.dtype == object:
        array = np.array([[b"a", b""], [b"\x00long\n", b"text"]], object)
    np.testing.assert_array_equal(tensor["array"], array)
    assert tensor["array"].dtype == array.dtype
    assert done == {"kind": "done"}


def test_what_was_said_before_a_crash_is_read() -> None:
    out = io.BytesIO()
    frames.write(out, "finding", {"name": "load"})
    frames.write_tensor(out, "outputs", "y", np.zeros(100))
    assert [frame["kind"] for frame in frames.read(out.getvalue()[:-1])] == ["finding"]
    assert [frame["kind"] for frame in frames.read(out.getvalue()[:30])] == ["finding"][
        : int(b"\n" in out.getvalue()[:30])
    ]


@given(st.binary(max_size=200))
def test_no_bytes_do_worse_than_a_value_error(data: bytes) -> None:
    try:
        list(frames.read(data))
    except (ValueError, KeyError, TypeError):
        return


@pytest.mark.parametrize(
    "head",
    [
        b'{"kind":"tensor","datatype":"FP32","shape":[1],"bytes":-4}\n',
        b'{"kind":"tensor","datatype":"FP32","shape":[1099511627776],"bytes":4}\n1234',
        b'{"kind":"tensor","datatype":"BYTES","shape":[1099511627776],"bytes":4}\n1234',
        b'{"kind":"tensor","datatype":"BYTES","shape":[1],"bytes":8}\n\xff\xff\xff\xff\xff\xff\xff\xff',
        b"[]\n",
    ],
)
def test_sizes_that_lie_are_refused(head: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        list(frames.read(head))
