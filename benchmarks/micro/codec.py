"""Time to decode and encode a request, in µs, by protocol: `python -m benchmarks.micro.codec`.

One row of 30 FP32 features, and an image of 224 x 224 x 3 as JSON, by either reader.

The best of several rounds: on a shared machine the others measure the neighbours.
"""

import timeit
from collections.abc import Callable

import numpy as np
import orjson

from gateway.core.types import InferResponse, Role
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols import proto_answer, v2_answer, v2_json, v2_proto
from gateway.protocols.answer_form import BINARY, JSON
from gateway.protocols.json_layouts import KnownBodies

_ROUNDS, _ROUND_S = 7, 0.3


def cases() -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    row = np.random.default_rng(0).normal(size=(1, 30)).astype(np.float32)
    tensor = {"name": "input", "datatype": "FP32", "shape": [1, 30]}
    flat = orjson.dumps({"inputs": [tensor | {"data": row.ravel().tolist()}]})
    nested = orjson.dumps({"inputs": [tensor | {"data": row.tolist()}]})
    head = orjson.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": row.nbytes}}]})
    message = pb.ModelInferRequest(model_name="m", raw_input_contents=[row.tobytes()])
    message.inputs.add(name="input", datatype="FP32", shape=[1, 30])
    proto = message.SerializeToString()
    outputs = {"label": np.array([1]), "probabilities": np.array([[0.25, 0.75]], np.float32)}
    answer = InferResponse("m", 1, Role.CHAMPION, dict(outputs), "", "0-0")
    image = np.random.default_rng(0).random((1, 3, 224, 224), np.float32)
    large = {"inputs": [tensor | {"shape": image.shape, "data": image.ravel()}]}
    pixels = orjson.dumps(large, option=orjson.OPT_SERIALIZE_NUMPY)
    padded = orjson.dumps(large | {"note": ""}, option=orjson.OPT_SERIALIZE_NUMPY)  # an unusual key
    known = KnownBodies()
    return {
        "decode JSON image": lambda: v2_json.decode(pixels, "m", None),
        "decode JSON image, known": lambda: v2_json.decode(pixels, "m", None, known=known),
        "decode JSON image, lists": lambda: v2_json.decode(padded, "m", None),
        "decode JSON flat": lambda: v2_json.decode(flat, "m", None),
        "decode JSON flat, known": lambda: v2_json.decode(flat, "m", None, known=known),
        "decode JSON nested": lambda: v2_json.decode(nested, "m", None),
        "decode binary": lambda: v2_json.decode(head + row.tobytes(), "m", None, json_length=len(head)),
        "decode proto": lambda: v2_proto.decode(v2_proto.parse(proto)),
        "encode JSON": lambda: v2_answer.encode(answer, JSON),
        "encode binary": lambda: v2_answer.encode(answer, BINARY),
        "encode proto": lambda: proto_answer.encode(answer),
    }


def main() -> None:
    """Print one line per case."""
    for name, call in cases().items():
        calls = max(1, int(_ROUND_S / timeit.timeit(call, number=1)))
        best = min(timeit.repeat(call, number=calls, repeat=_ROUNDS))
        print(f"{name:24} {best / calls * 1e6:8.2f} µs")


if __name__ == "__main__":
    main()
