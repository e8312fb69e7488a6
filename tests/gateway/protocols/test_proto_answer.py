"""What is written by hand must be what protobuf itself would read and write."""

import numpy as np
import pytest

from gateway.core.types import Array, InferResponse, Role
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.answer_form import BINARY, AnswerForm, OutputForm
from gateway.protocols.proto_answer import PREDICTION_ID, encode, streamed

LARGE = np.arange(100_000, dtype=np.float32).reshape(2, 50_000)


def written(id: str = "", **outputs: Array) -> bytes:
    return encode(InferResponse("größe", 12, Role.CHAMPION, outputs, id, "p-7"))


@pytest.mark.parametrize("id", ["", "seven", "é" * 200])
@pytest.mark.parametrize(
    "array", [LARGE, np.zeros((0, 3), np.int64), np.array(7, np.uint8), np.array([b"\xff", b""], np.object_)]
)
def test_protobuf_reads_what_was_written(id: str, array: Array) -> None:
    answer = pb.ModelInferResponse.FromString(written(id, y=array, z=np.ones(1, np.bool_)))
    assert (answer.model_name, answer.model_version, answer.id) == ("größe", "12", id)
    assert answer.parameters[PREDICTION_ID].string_param == "p-7"
    assert [(each.name, each.datatype) for each in answer.outputs][1] == ("z", "BOOL")
    assert tuple(answer.outputs[0].shape) == array.shape
    if array.dtype != np.object_:
        assert answer.raw_output_contents[0] == array.tobytes()
    assert answer.raw_output_contents[1] == b"\1"


def test_protobuf_would_write_the_same_bytes() -> None:
    answer = pb.ModelInferResponse.FromString(written("7", y=LARGE))
    assert len(answer.SerializeToString()) == len(written("7", y=LARGE))


def test_classes_are_written_as_text() -> None:
    form = AnswerForm(BINARY.default, {"y": OutputForm(True, 1)})
    response = InferResponse("m", 1, Role.CHAMPION, {"y": np.array([[0.1, 0.9]], np.float32)}, "", "p")
    answer = pb.ModelInferResponse.FromString(encode(response, form))
    assert (answer.outputs[0].datatype, tuple(answer.outputs[0].shape)) == ("BYTES", (1, 1))


def test_a_streamed_answer_is_wrapped_and_says_that_it_is_the_last() -> None:
    reply = pb.ModelStreamInferResponse.FromString(streamed(written("7", y=LARGE)))
    assert reply.error_message == ""
    assert reply.infer_response.id == "7"
    assert reply.infer_response.parameters["triton_final_response"].bool_param
    assert reply.infer_response.parameters[PREDICTION_ID].string_param == "p-7"
