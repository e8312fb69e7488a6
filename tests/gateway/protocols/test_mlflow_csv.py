import numpy as np
import pytest

from gateway.core.signature import Signature, TensorSpec
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.mlflow_csv import decode

WIDE = Signature((TensorSpec("x", "FP32", (-1, 3)),), ())
NAMED = Signature(
    (
        TensorSpec("age", "INT64", (-1, 1)),
        TensorSpec("name", "BYTES", (-1,)),
        TensorSpec("new", "BOOL", (-1,)),
    ),
    (),
)


def test_columns_in_their_order_are_the_one_input() -> None:
    asked, rows = decode(b"\xef\xbb\xbfu,v,w\r\n1,2.5,-3e2\r\n\r\n4,5,6", WIDE, "m", "champion", "ann")
    np.testing.assert_array_equal(asked.inputs["x"], np.array([[1, 2.5, -300], [4, 5, 6]], np.float32))
    assert asked.inputs["x"].dtype == np.float32
    assert (asked.version, asked.key, rows) == ("champion", "ann", True)


def test_columns_are_the_inputs_of_their_names() -> None:
    body = 'name,age,new\n"Ann, née ""B""",30,True\n7,40,false\n'.encode()
    inputs = decode(body, NAMED, "m", None).request.inputs
    assert inputs["name"].tolist() == ['Ann, née "B"'.encode(), b"7"]
    assert inputs["age"].tolist() == [[30], [40]]
    assert inputs["new"].tolist() == [True, False]


FAULTS: dict[str, tuple[Signature, bytes, str]] = {
    "nothing": (WIDE, b"", "one row or more"),
    "names only": (WIDE, b"u,v,w\n", "one row or more"),
    "a short line": (WIDE, b"u,v,w\n1,2\n", "3 values"),
    "too few columns": (WIDE, b"u,v\n1,2\n", "do not fit"),
    "text for a number": (WIDE, b"u,v,w\n1,2,x\n", "'x' is FP32"),
    "a missing value": (WIDE, b"u,v,w\n1,2,\n", "'x' is FP32.*it holds null"),
    "no finite number": (WIDE, b"u,v,w\n1,2,nan\n", "'x' is FP32"),
    "a fraction": (NAMED, b"age,name,new\n1.5,a,true\n", "'age' is INT64"),
    "a number out of range": (NAMED, b"age,name,new\n9223372036854775808,a,true\n", "range"),
    "a number as Python writes it": (WIDE, b"u,v,w\n1,2,1_000\n", "'x' is FP32"),
    "digits and no end": (WIDE, b"u,v,w\n1,2," + b"9" * 100_000 + b"x\n", "'x' is FP32"),
    "digits beyond reason": (NAMED, b"age,name,new\n" + b"9" * 5000 + b",a,true\n", "'age' is INT64"),
    "yes for true": (NAMED, b"age,name,new\n1,a,yes\n", "'new' is BOOL"),
    "an open quote": (WIDE, b'u,v,w\n"1,2,3', "not CSV"),
    "no UTF-8": (WIDE, b"u,v,w\n1,2,\xff\n", "not CSV"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_does_not_fit_is_the_callers_fault(name: str) -> None:
    signature, body, words = FAULTS[name]
    with pytest.raises(GatewayError, match=words) as refused:
        decode(body, signature, "m", None)
    assert refused.value.code is ErrorCode.INVALID


def test_a_large_frame_is_for_json() -> None:
    with pytest.raises(GatewayError, match="dataframe_split") as refused:
        decode(b"u,v,w\n" + b"1,2,3\n" * 700_000, WIDE, "m", None)
    assert refused.value.code is ErrorCode.TOO_LARGE
