"""The node vectors that the onnx wheel generates, and the four ways to send them and read the answer."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple, cast

import numpy as np
import onnx
import orjson
from onnxruntime import InferenceSession, SessionOptions

from gateway.core.signature import Signature
from gateway.core.types import DATATYPES, NUMPY_DTYPES, Array
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.tensors import from_raw, to_raw
from gateway.runtime.signature import signature_of

Tensors = dict[str, Array]


class Vector(NamedTuple):
    """A model of one node, what goes in, and what onnxruntime called directly gives."""

    name: str
    model: bytes
    signature: Signature
    inputs: Tensors
    expected: Tensors

    @property
    def fits_json(self) -> bool:
        """JSON carries neither FP16 nor NaN nor infinity."""
        return all(
            array.dtype.kind != "f" or (array.dtype.itemsize > 2 and bool(np.isfinite(array).all()))
            for array in (*self.inputs.values(), *self.expected.values())
        )


def vectors() -> Iterator[Vector]:
    """Those of V2 types that onnxruntime runs, and answers alike twice: some nodes draw at random."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reference implementations compute their infinities loudly
        cases = import_module("onnx.backend.test.case.node").collect_testcases(None)
    for case in cases:
        model = cast(onnx.ModelProto, case.model).SerializeToString()
        try:
            signature = signature_of(model)
            session = InferenceSession(model, _options(), ["CPUExecutionProvider"])
        except Exception:  # no V2 types, or not known to the runtime: nothing to agree with
            continue
        for index, (given, _) in enumerate(case.data_sets):
            inputs = {
                spec.name: np.asarray(array) for spec, array in zip(signature.inputs, given, strict=False)
            }
            if len(inputs) == len(signature.inputs) and (expected := _run(session, inputs, signature)):
                yield Vector(f"{case.name}.{index}", model, signature, _bytes(inputs), expected)


def _options() -> SessionOptions:
    options = SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1  # more would only be started and ended again
    return options


def _run(session: InferenceSession, inputs: Tensors, signature: Signature) -> Tensors | None:
    names = [spec.name for spec in signature.outputs]
    try:
        once, again = (_bytes(dict(zip(names, session.run(names, inputs), strict=True))) for _ in range(2))
    except Exception:  # as above
        return None
    return once if agree(once, again) else None


def _bytes(tensors: Tensors) -> Tensors:
    """Text as it travels: BYTES."""
    return {
        name: array if array.dtype.kind not in "OU" else _objects(array) for name, array in tensors.items()
    }


def _objects(array: Array) -> Array:
    found = np.empty(array.size, np.object_)
    found[:] = [str(item).encode() for item in array.ravel().tolist()]
    return found.reshape(array.shape)


def agree(left: Mapping[str, Array], right: Mapping[str, Array]) -> bool:
    """Whether names, types, shapes and every bit are the same; NaNs too."""
    return left.keys() == right.keys() and all(
        array.dtype == right[name].dtype
        and array.shape == right[name].shape
        and to_raw(array) == to_raw(right[name])
        for name, array in left.items()
    )


class Sent(NamedTuple):
    """A request's bytes; `json_length` only if tensors follow a JSON part."""

    body: bytes
    json_length: int | None = None


def json_request(_model: str, inputs: Tensors) -> Sent:
    tensors = [_described(name, array) | {"data": _plain(array)} for name, array in inputs.items()]
    return Sent(orjson.dumps({"inputs": tensors}))


def binary_request(_model: str, inputs: Tensors) -> Sent:
    raws = [to_raw(array) for array in inputs.values()]
    tensors = [
        _described(name, array) | {"parameters": {"binary_data_size": len(raw)}}
        for (name, array), raw in zip(inputs.items(), raws, strict=True)
    ]
    head = orjson.dumps({"inputs": tensors, "parameters": {"binary_data_output": True}})
    return Sent(b"".join((head, *raws)), len(head))


def raw_request(model: str, inputs: Tensors) -> Sent:
    message = pb.ModelInferRequest(model_name=model)
    for name, array in inputs.items():
        message.inputs.add(**_described(name, array))
        message.raw_input_contents.append(to_raw(array))
    return Sent(message.SerializeToString())


_FIELDS = {
    "BOOL": "bool",
    "INT64": "int64",
    "UINT64": "uint64",
    "FP32": "fp32",
    "FP64": "fp64",
    "BYTES": "bytes",
}


def typed_request(model: str, inputs: Tensors) -> Sent:
    message = pb.ModelInferRequest(model_name=model)
    for name, array in inputs.items():
        tensor = message.inputs.add(**_described(name, array))
        kind = _FIELDS.get(tensor.datatype, "uint" if array.dtype.kind == "u" else "int")
        getattr(tensor.contents, f"{kind}_contents").extend(array.ravel().tolist())
    return Sent(message.SerializeToString())


def http_answer(body: bytes, json_length: int | None) -> Tensors:
    document = orjson.loads(body[:json_length])
    found, position = {}, json_length or 0
    for output in document["outputs"]:
        name, dtype, shape = output["name"], NUMPY_DTYPES[output["datatype"]], tuple(output["shape"])
        if json_length is None:
            data = [item.encode() for item in output["data"]] if dtype == np.object_ else output["data"]
            flat = np.empty(len(data), dtype)
            flat[:] = data
            found[name] = flat.reshape(shape)
        else:
            size = output["parameters"]["binary_data_size"]
            found[name] = from_raw(name, dtype, shape, body[position : position + size])
            position += size
    return found


def grpc_answer(body: bytes) -> Tensors:
    message = pb.ModelInferResponse.FromString(body)
    return {
        output.name: from_raw(output.name, NUMPY_DTYPES[output.datatype], tuple(output.shape), raw)
        for output, raw in zip(message.outputs, message.raw_output_contents, strict=True)
    }


REQUESTS: dict[str, Callable[[str, Tensors], Sent]] = {
    "json": json_request,
    "binary": binary_request,
    "raw gRPC": raw_request,
    "typed gRPC": typed_request,
}


def _described(name: str, array: Array) -> dict[str, Any]:
    return {"name": name, "datatype": DATATYPES[array.dtype], "shape": list(array.shape)}


def _plain(array: Array) -> list[Any]:
    return [item.decode() if isinstance(item, bytes) else item for item in array.ravel().tolist()]
