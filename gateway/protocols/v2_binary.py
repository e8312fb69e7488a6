"""The edges of the V2 binary extension: its header, and a body that is nothing but one tensor."""

import math
import re

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import InferRequest
from gateway.protocols.answer_form import BINARY, AnswerForm
from gateway.protocols.fields import invalid
from gateway.protocols.tensors import from_raw, objects, shaped

_DIGITS = re.compile(r"[0-9]{1,12}")


def json_length(header: str, size: int) -> int:
    """`Inference-Header-Content-Length` for a decompressed body of `size` bytes, or INVALID."""
    if _DIGITS.fullmatch(header) is None or int(header) > size:
        raise invalid("Inference-Header-Content-Length must be the length of the body's JSON part, in bytes")
    return int(header)


def decode_raw(
    body: bytes, signature: Signature, model: str, version: int | str | None, key: str = ""
) -> tuple[InferRequest, AnswerForm]:
    """The whole body as the model's only input; the answer is binary as well.

    One free dimension is as long as the body makes it, further ones are 1. For a BYTES input the body is
    one element, without a length prefix.
    """
    if len(signature.inputs) != 1:
        raise invalid("a raw body needs a model with one input; name the inputs in a JSON part")
    spec = signature.inputs[0]
    if spec.datatype == "BYTES":
        shape = tuple(abs(length) for length in spec.shape)
        array = shaped(spec.name, objects([bytes(body)]), shape)
    else:
        array = from_raw(spec.name, spec.dtype, _fitted(spec, len(body)), memoryview(body))
    return InferRequest(model, version, {spec.name: array}, key=key), BINARY


def _fitted(spec: TensorSpec, size: int) -> tuple[int, ...]:
    row = math.prod(abs(length) for length in spec.shape) * spec.dtype.itemsize
    shape = [abs(length) for length in spec.shape]
    if -1 in spec.shape and row:
        shape[spec.shape.index(-1)] = size // row
    return tuple(shape)
