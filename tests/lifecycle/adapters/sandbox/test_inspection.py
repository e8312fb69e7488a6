import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import TensorProto, helper

from lifecycle.adapters.sandbox import frames
from lifecycle.adapters.sandbox.inspection import inspect
from lifecycle.core.inspection import REFERENCE, Limits
from tests.graphs import serialised

Write = Callable[..., Path]


def said(
    artifact: bytes, reference: Path | None = None, limits: Limits | None = None
) -> list[dict[str, Any]]:
    out = io.BytesIO()
    rows = {REFERENCE: os.open(reference, os.O_RDONLY)} if reference is not None else {}
    inspect(io.BytesIO(artifact), limits or Limits(), rows, None, out)
    return list(frames.read(out.getvalue()))


def test_the_runtimes_reason_is_told_without_where_in_its_source_it_arose() -> None:
    text = [helper.make_tensor_value_info(name, TensorProto.STRING, ["n"]) for name in "xy"]
    node = helper.make_node("StringNormalizer", ["x"], ["y"], case_change_action="LOWER", locale="xx_XX")
    graph = helper.make_graph([node], "g", text[:1], text[1:])
    reason = said(serialised(graph))[-1]["reason"]
    assert "cannot load the model: Exception during initialization: Failed to construct locale" in reason
    assert ".cc" not in reason


def test_every_gate_is_told_as_it_begins(linear: Write) -> None:
    told = said(linear().read_bytes())
    assert [frame["gate"] for frame in told if frame["kind"] == "begin"] == [
        "structure",
        "load",
        "warm_up",
        "robustness",
        "batching",
    ]
    assert told[-1]["kind"] == "alone"


def test_reference_rows_are_answered_in_full_and_in_order(linear: Write, tmp_path: Path) -> None:
    rows = np.arange(1500, dtype=np.float32).reshape(500, 3)
    pq.write_table(pa.table({"x": pa.array(rows.tolist())}), tmp_path / "rows.parquet")
    tensors = [
        f for f in said(linear(slope=2).read_bytes(), tmp_path / "rows.parquet") if f["kind"] == "tensor"
    ]
    by_side = {(frame["side"], frame["name"]): frame["array"] for frame in tensors}
    np.testing.assert_array_equal(by_side["reference/inputs", "x"], rows)
    np.testing.assert_array_equal(by_side["reference/outputs", "y"], rows * 2)


def test_the_last_word_names_the_gate_that_stopped_it(linear: Write) -> None:
    assert said(b"\x08nothing")[-1]["name"] == "structure"
    over = said(linear().read_bytes(), limits=Limits(max_bytes=10))[-1]
    assert (over["verdict"], over["reason"]) == ("FAIL", "the file has more than 10 bytes")
