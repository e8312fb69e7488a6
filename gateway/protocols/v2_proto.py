"""The V2 protobuf request -> core types."""

from collections.abc import Mapping, Sequence

import numpy as np
from google.protobuf.message import DecodeError

from gateway.core.types import Array, InferRequest
from gateway.core.words import quoted
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.answer_form import BINARY, AnswerForm, OutputForm
from gateway.protocols.fields import (
    check_parameters,
    class_count,
    deadline_after,
    invalid,
    model_name,
    plain_text,
    version_named,
)
from gateway.protocols.tensors import dtype_of, from_raw, objects, shape_of, shaped

_CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


def parse(data: bytes) -> pb.ModelInferRequest:
    """The message in serialised bytes; INVALID for anything else."""
    try:
        return pb.ModelInferRequest.FromString(data)
    except DecodeError:
        raise invalid("the message is not a ModelInferRequest") from None


def decode(message: pb.ModelInferRequest, key: str = "") -> tuple[InferRequest, AnswerForm]:
    """A request, or INVALID. `key` is the routing key from metadata; the parameter wins over it."""
    deadline = 0
    if message.parameters:
        parameters = _values(message.parameters)
        deadline = deadline_after(parameters)
        key = plain_text("routing_key", parameters.get("routing_key", key))
    outputs: dict[str, OutputForm] = {}
    for wanted in message.outputs:
        if wanted.name in outputs:
            raise invalid(f"output {quoted(wanted.name)} is asked for twice")
        classes = class_count(_values(wanted.parameters)) if wanted.parameters else 0
        outputs[wanted.name] = OutputForm(True, classes)
    request = InferRequest(
        model_name(message.model_name),
        version_named(message.model_version),
        _inputs(message),
        tuple(outputs),
        plain_text("id", message.id) if message.id else "",
        key,
        deadline,
        protocol="grpc",
    )
    return request, AnswerForm(BINARY.default, outputs) if outputs else BINARY


def _inputs(message: pb.ModelInferRequest) -> dict[str, Array]:
    raws = message.raw_input_contents
    if raws and len(raws) != len(message.inputs):
        raise invalid(f"there are {len(message.inputs)} inputs but {len(raws)} raw_input_contents")
    tensors: dict[str, Array] = {}
    for index, tensor in enumerate(message.inputs):
        name = tensor.name
        if not name:
            raise invalid("every input must have a name")
        if name in tensors:
            raise invalid(f"input {quoted(name)} is given twice")
        if tensor.parameters:
            _values(tensor.parameters)
        dtype = dtype_of(name, tensor.datatype)
        shape = shape_of(name, tensor.shape)
        if raws:
            if tensor.HasField("contents"):
                raise invalid(f"input {quoted(name)} has contents beside raw_input_contents")
            tensors[name] = from_raw(name, dtype, shape, raws[index])
        else:
            tensors[name] = _typed(name, tensor, dtype, shape)
    return tensors


def _typed(
    name: str,
    tensor: pb.ModelInferRequest.InferInputTensor,
    dtype: np.dtype[np.generic],
    shape: tuple[int, ...],
) -> Array:
    wanted = _CONTENTS.get(tensor.datatype)
    if wanted is None:
        raise invalid(f"input {quoted(name)} is {tensor.datatype}: send it in raw_input_contents")
    filled = tensor.contents.ListFields()
    if any(field.name != wanted for field, _ in filled):
        raise invalid(f"input {quoted(name)} is {tensor.datatype}: its contents must be in {wanted}")
    values: Sequence[object] = list(filled[0][1]) if filled else []
    if tensor.datatype == "BYTES":
        return shaped(name, objects(values), shape)
    try:
        return shaped(name, np.array(values, dtype), shape)
    except OverflowError:
        raise invalid(f"input {quoted(name)} has a number out of range for {tensor.datatype}") from None


def _values(parameters: Mapping[str, pb.InferParameter]) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, parameter in parameters.items():
        choice = parameter.WhichOneof("parameter_choice")
        if choice is not None:
            values[name] = getattr(parameter, choice)
    check_parameters(values)
    return values
