"""A known layout must give exactly what decoding the message gives."""

import numpy as np
import pytest

from gateway.core.types import Array, InferRequest
from gateway.protocols import open_inference_pb2 as pb
from gateway.protocols.proto_layouts import MOST_LAYOUTS, KnownLayouts
from gateway.protocols.v2_proto import decode, parse


def message(
    *arrays: Array, model: str = "m", version: str = "", id: str = "", outputs: tuple[str, ...] = ()
) -> bytes:
    names = {"float32": "FP32", "int64": "INT64", "float64": "FP64", "bool": "BOOL"}
    asked = pb.ModelInferRequest(model_name=model, model_version=version, id=id)
    for i, array in enumerate(arrays):
        asked.inputs.add(name=f"x{i}", datatype=names[array.dtype.name], shape=array.shape)
        asked.raw_input_contents.append(array.tobytes())
    for name in outputs:
        asked.outputs.add(name=name)
    return asked.SerializeToString()


def learnt(*messages: bytes) -> KnownLayouts:
    layouts = KnownLayouts()
    for each in messages:
        for _ in range(2):  # what comes once is not remembered
            layouts.learn(each, *decode(parse(each)))
    return layouts


def agree(layouts: KnownLayouts, data: bytes) -> None:
    known = layouts.match(data)
    assert known is not None
    (quick, form), (slow, slow_form) = known, decode(parse(data))
    fields = ("model", "version", "outputs", "id", "key", "deadline_ns", "protocol")
    assert [getattr(quick, name) for name in fields] == [getattr(slow, name) for name in fields]
    assert form == slow_form
    assert quick.inputs.keys() == slow.inputs.keys()
    for name, array in slow.inputs.items():
        assert (quick.inputs[name].dtype, quick.inputs[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(quick.inputs[name], array)
        assert quick.inputs[name].ctypes.data % 16 == 0


ONES, TWOS = np.ones((1, 3), np.float32), np.full((1, 3), 2, np.float32)
NUMBERS = np.arange(40, dtype=np.int64).reshape(2, 20)


def test_other_values_in_a_known_layout() -> None:
    layouts = learnt(message(ONES), message(ONES, NUMBERS, version="3", outputs=("y",)))
    agree(layouts, message(TWOS))
    agree(layouts, message(TWOS, NUMBERS + 1, version="3", outputs=("y",)))


def test_fields_behind_the_tensors_are_read() -> None:
    short, long = message(ONES), message(np.ones((1, 6), np.float32))
    last = pb.ModelInferRequest(id="i" * (len(long) - len(short) - 2)).SerializeToString()
    assert len(short + last) == len(long)
    assert learnt(short, long).match(short + last) is None


def test_layouts_of_one_length_are_told_apart() -> None:
    layouts = learnt(message(ONES, model="one"), message(ONES, model="two"))
    agree(layouts, message(TWOS, model="one"))
    agree(layouts, message(TWOS, model="two"))
    assert layouts.match(message(ONES, model="six")) is None


def test_any_number_of_layouts_of_one_length_is_read_right() -> None:
    # The longer the name, the fewer the numbers behind the description: all these are equally long.
    datas = [message(np.ones((1, 60 - n), np.float32), model="m" * (4 * n + 1)) for n in range(1, 25)]
    assert len({len(data) for data in datas}) == 1
    layouts = KnownLayouts()
    for data in datas:
        for _ in range(2):
            layouts.learn(data, *decode(parse(data)))
        agree(layouts, data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        message(np.ones((3, 1), np.float32)),
        message(ONES, id="7"),
        message(ONES)[:-1],
        message(ONES) + b"\0",
    ],
)
def test_anything_else_is_parsed(data: bytes) -> None:
    assert learnt(message(ONES)).match(data) is None


@pytest.mark.parametrize("data", [message(ONES, id="7"), message(np.ones(2, np.bool_))])
def test_what_must_be_looked_at_each_time_is_not_learnt(data: bytes) -> None:
    assert learnt(data).match(data) is None


def test_typed_contents_agree_too() -> None:
    def typed(value: float) -> bytes:
        asked = pb.ModelInferRequest(model_name="m")
        asked.inputs.add(
            name="x", datatype="FP64", shape=[2], contents=pb.InferTensorContents(fp64_contents=[value, 1.0])
        )
        return asked.SerializeToString()

    # Packed doubles look like raw contents from the outside, and mean the same.
    agree(learnt(typed(1.0)), typed(2.0))


def test_descriptions_that_come_once_push_out_no_other() -> None:
    layouts = learnt(message(ONES))
    for i in range(2 * MOST_LAYOUTS):
        data = message(ONES, model=f"m{i}")
        layouts.learn(data, *decode(parse(data)))
    agree(layouts, message(TWOS))
    assert layouts.match(message(ONES, model="m7")) is None


def test_no_tensor_is_kept_and_the_memory_is_bounded() -> None:
    layouts = learnt(*(message(ONES, model=f"m{i}") for i in range(MOST_LAYOUTS + 1)))
    assert layouts.match(message(ONES, model="m0")) is None
    known = layouts.match(message(ONES, model=f"m{MOST_LAYOUTS}"))
    assert known is not None
    assert isinstance(known[0], InferRequest)
