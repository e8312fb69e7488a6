import numpy as np

from gateway.core.capture import Capture, blocks
from gateway.core.types import Array, Role


def capture(prediction: str, rows: int, version: int = 1, text: bool = False) -> Capture:
    x: Array = np.array([b"ab"] * rows, np.object_) if text else np.arange(rows, dtype=np.float32)
    return Capture(prediction, float(rows), "m", version, Role.CHAMPION, {"x": x}, {"y": np.array(rows)})


def same(left: Capture, right: Capture) -> bool:
    fields = ("prediction_id", "at", "model", "version", "role")
    sides = ((left.inputs, right.inputs), (left.outputs, right.outputs))
    return all(getattr(left, name) == getattr(right, name) for name in fields) and all(
        one.keys() == two.keys()
        and all(one[name].dtype == two[name].dtype and np.array_equal(one[name], two[name]) for name in one)
        for one, two in sides
    )


def test_what_is_unpacked_is_what_was_packed() -> None:
    packed = [
        capture("a", 1),
        capture("b", 2),
        capture("c", 1, version=2),
        capture("d", 1),
        capture("e", 2, text=True),
    ]
    unpacked = {c.prediction_id: c for block in blocks(packed) for c in block}
    assert unpacked.keys() == {"a", "b", "c", "d", "e"}
    assert all(same(unpacked[c.prediction_id], c) for c in packed)


def test_one_shape_of_one_version_is_one_block_in_order() -> None:
    packed = blocks([capture(str(i), 1 + i % 2) for i in range(6)])
    assert [block.ids for block in packed] == [("0", "2", "4"), ("1", "3", "5")]
    assert packed[0].inputs["x"].shape == (3, 1)


def test_nothing_is_no_block() -> None:
    assert blocks([]) == []
