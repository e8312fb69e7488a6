import numpy as np
import orjson
from hypothesis import given

from gateway.core.types import Array, InferResponse, Role
from gateway.protocols.answer_form import BINARY, JSON, AnswerForm, OutputForm
from gateway.protocols.v2_answer import encode
from gateway.protocols.v2_json import decode
from tests.gateway.protocols.drawn import tensors


def answered(**outputs: Array) -> InferResponse:
    return InferResponse("m", 2, Role.CHAMPION, outputs, "7", "p-1")


@given(tensors())
def test_an_answer_in_binary_reads_back_as_an_input(array: Array) -> None:
    body, length = encode(answered(y=array), BINARY)
    assert length is not None
    document = orjson.loads(body[:length])
    again, _ = decode(body.replace(b'"outputs"', b'"inputs"', 1), "m", None, json_length=length - 1)
    assert document["outputs"][0]["shape"] == list(array.shape)
    assert again.inputs["y"].tobytes() == array.tobytes()  # NaN too, bit for bit


@given(tensors(without=("BYTES", "FP16", "BF16")))
def test_an_answer_in_json_reads_back_unless_it_holds_nan(array: Array) -> None:
    body, length = encode(answered(y=array), JSON)
    assert length is None
    finite = array.dtype.kind != "f" or bool(np.isfinite(array).all())
    assert ("parameters" in orjson.loads(body)) != finite
    if finite:
        again, _ = decode(body.replace(b'"outputs"', b'"inputs"', 1), "m", None)
        np.testing.assert_array_equal(again.inputs["y"], array)


def test_text_that_says_null_is_not_a_missing_number() -> None:
    body, _ = encode(answered(t=np.array([b"null"], object)), JSON)
    assert "parameters" not in orjson.loads(body)


def test_some_outputs_in_json_and_some_behind_it() -> None:
    form = AnswerForm(OutputForm(False), {"a": OutputForm(True), "b": OutputForm(False)})
    half = np.array([1, 2], np.float16)
    body, length = encode(answered(a=half, b=np.arange(6).reshape(2, 3).T), form)
    assert length is not None
    first, second = orjson.loads(body[:length])["outputs"]
    assert first["parameters"] == {"binary_data_size": 4}
    assert body[length:] == half.tobytes()
    assert (second["shape"], second["data"]) == ([3, 2], [0, 3, 1, 4, 2, 5])
