import gc
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from threading import Timer

import numpy as np
import pytest
from onnx import TensorProto, helper

from gateway.core.placement import Device
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.session import Session, cuda_starts, offers_cuda, run_options
from gateway.runtime.signature import signature_of
from tests.gateway.runtime.lost_gpu import runs_of_a_process_whose_gpu_is_lost
from tests.graphs import serialised

SessionOf = Callable[[bytes], Session]
on_gpu = pytest.mark.skipif(not cuda_starts(), reason="needs a GPU and onnxruntime-gpu")


def words(*values: bytes) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    return {"s": np.array([[value] for value in values], np.object_)}


def test_all_outputs_come_in_the_graphs_order(logistic: bytes, session_of: SessionOf) -> None:
    answer = session_of(logistic).run({"x": np.zeros((3, 30), np.float32)}, ())
    assert list(answer) == ["label", "probabilities"]
    assert answer["label"].shape == (3,)
    assert answer["probabilities"].sum(axis=1) == pytest.approx(1)


def test_only_the_outputs_asked_for_come_and_in_the_graphs_order(
    logistic: bytes, session_of: SessionOf
) -> None:
    session, inputs = session_of(logistic), {"x": np.zeros((1, 30), np.float32)}
    assert list(session.run(inputs, ("probabilities",))) == ["probabilities"]
    assert list(session.run(inputs, ("probabilities", "label"))) == ["label", "probabilities"]


def test_text_goes_through_as_bytes_both_ways(text: bytes, session_of: SessionOf) -> None:
    inputs = words("héé".encode(), b"", b"a\x00b")
    answer = session_of(text).run(inputs, ())
    assert answer["t"].dtype == np.object_
    assert answer["t"].tolist() == inputs["s"].tolist()


def test_bytes_that_are_not_text_are_the_callers_fault(text: bytes, session_of: SessionOf) -> None:
    with pytest.raises(GatewayError, match="'s' holds bytes that are not UTF-8") as caught:
        session_of(text).run(words(b"\xff"), ())
    assert caught.value.code is ErrorCode.INVALID


def test_arrays_may_be_read_only_and_strided(logistic: bytes, session_of: SessionOf) -> None:
    rows = np.arange(120, dtype=np.float32).reshape(2, 60) / 100
    view = rows[:, ::2]
    view.setflags(write=False)
    session = session_of(logistic)
    plain = session.run({"x": np.ascontiguousarray(view)}, ())
    assert session.run({"x": view}, ())["probabilities"].tolist() == plain["probabilities"].tolist()


def test_a_failing_run_is_internal_and_says_nothing_of_the_inside(
    lookup: bytes, session_of: SessionOf, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(GatewayError, match=r"^the model failed on this input$") as caught:
        session_of(lookup).run({"i": np.array([9])}, ())
    assert caught.value.code is ErrorCode.INTERNAL
    assert caught.value.__suppress_context__
    assert capfd.readouterr().err == ""


def test_a_model_that_does_not_load_is_internal() -> None:
    spec = TensorSpec("x", "FP32", (1,))
    with pytest.raises(GatewayError, match="cannot load") as caught:
        Session(b"junk", Signature((spec,), (spec,)))
    assert caught.value.code is ErrorCode.INTERNAL


def test_a_run_told_to_end_ends(endless: bytes, session_of: SessionOf) -> None:
    options = run_options()
    options.terminate = True
    with pytest.raises(GatewayError):
        session_of(endless).run({"x": np.full((1, 1), 2, np.float32)}, (), options)


def test_an_answer_outlives_its_session(logistic: bytes, session_of: SessionOf) -> None:
    answer = session_of(logistic).run({"x": np.zeros((1, 30), np.float32)}, ())
    gc.collect()
    assert answer["probabilities"].shape == (1, 2)


@pytest.mark.skipif(offers_cuda(), reason="is of the runtime for CPUs")
def test_without_a_runtime_that_offers_a_gpu_nothing_is_promised(
    logistic: bytes, session_of: SessionOf
) -> None:
    assert not cuda_starts()
    assert session_of(logistic).device is Device.CPU


@on_gpu
def test_on_a_gpu_answers_are_those_of_the_cpu_whatever_the_number_of_rows(convolution: bytes) -> None:
    here, there = (Session(convolution, signature_of(convolution), gpu=gpu) for gpu in (False, True))
    assert (here.device, there.device) == (Device.CPU, Device.GPU)
    rng = np.random.default_rng(0)
    for rows in (1, 2, 7, 32):
        inputs = {"x": rng.normal(size=(rows, 8, 16, 16)).astype(np.float32)}
        near = here.run(inputs, ())
        assert there.run(inputs, ())["y"] == pytest.approx(near["y"], rel=1e-4, abs=1e-4)
        assert there.bind(inputs, near) is None


@on_gpu
def test_a_run_on_a_gpu_told_to_end_ends(endless: bytes) -> None:
    session = Session(endless, signature_of(endless), gpu=True)
    options = run_options()
    Timer(0.1, setattr, (options, "terminate", True)).start()
    with pytest.raises(GatewayError):
        session.run({"x": np.full((1, 1), 2, np.float32)}, (), options)
    assert session.run({"x": np.zeros((1, 1), np.float32)}, ())["y"].tolist() == [[0]]


@on_gpu
def test_every_run_of_a_process_whose_gpu_is_lost_says_so(convolution: bytes) -> None:
    inputs: dict[str, Array] = {"x": np.ones((2, 8, 16, 16), np.float32)}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as apart:
        told = apart.submit(runs_of_a_process_whose_gpu_is_lost, convolution, inputs).result()
    assert told == ["DeviceLost"] * 9


def test_inputs_of_different_numbers_of_rows_are_the_callers_fault() -> None:
    a, b, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2]) for name in "aby")
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["y"])], "g", [a, b], [y])
    model = serialised(graph)
    session = Session(model, signature_of(model))
    with pytest.raises(GatewayError, match="different numbers of rows") as caught:
        session.run({"a": np.zeros((2, 2), np.float32), "b": np.zeros((3, 2), np.float32)}, ())
    assert caught.value.code is ErrorCode.INVALID
