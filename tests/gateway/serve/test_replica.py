"""What runs in a dedicated version's process, without the process. `tests/e2e` has Serve around it."""

import asyncio
import json
import logging
import math
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gateway.config import Dedicated, GatewayConfig, Serving
from gateway.core.batching import Batching
from gateway.core.placement import Device
from gateway.core.routing import VersionEntry
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.serve.replica import Ready, Replica, application
from gateway.serve.slots import claim
from gateway.telemetry.logs import log_file

FAR_NS = 60 * 10**9
Write = Callable[..., VersionEntry]
Start = Callable[..., Replica]


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    """A replica takes the process's logging for itself."""
    root = logging.getLogger()
    before = root.handlers[:]
    yield
    for handler in set(root.handlers) - set(before):
        handler.close()
    root.handlers[:] = before


@pytest.fixture
async def started(tmp_path: Path) -> AsyncIterator[Start]:
    """Makes replicas on a CPU, which end with the test; `served` says whether another process serves."""
    replicas: list[Replica] = []

    def start(entry: VersionEntry, config: GatewayConfig | None = None, *, served: bool = False) -> Replica:
        config = config or GatewayConfig(home=tmp_path)
        replicas.append(Replica("m", entry, config, gpu=False, served=lambda: served))
        return replicas[-1]

    yield start
    for replica in replicas:
        await replica._loader.close()
    shutil.rmtree(GatewayConfig(home=tmp_path).run_dir)


async def test_answers_joins_and_tells_errors_as_values(
    started: Start, written: Write, lookup: bytes
) -> None:
    replica = started(written(lookup))
    await replica.check_health()
    replies = await asyncio.gather(*(replica.run({"i": np.array([i])}, (), FAR_NS) for i in (1, 2, 9)))
    answers = [reply.answer for reply in replies]
    assert [answer["y"].tolist() for answer in answers if isinstance(answer, dict)] == [[10], [20]]
    assert answers[2] == (ErrorCode.INTERNAL, "the model failed on this input")
    assert (await replica.run({"i": np.array([1])}, (), 0)).answer == (
        ErrorCode.DEADLINE,
        "the request's deadline passed before it was answered",
    )


async def test_each_run_is_told_once_with_one_of_the_answers_that_it_gave(
    started: Start, written: Write, lookup: bytes
) -> None:
    replica = started(written(lookup))
    await replica.check_health()
    first = await replica.run({"i": np.array([1])}, (), FAR_NS)
    assert [(len(run.arrived), run.rows) for run in first.runs] == [(1, 1)]
    together = await asyncio.gather(*(replica.run({"i": np.array([1])}, (), FAR_NS) for _ in range(20)))
    runs = [run for reply in together for run in reply.runs]
    assert sum(len(run.arrived) for run in runs) == 20
    assert all(run.started <= run.ended for run in runs)


async def test_a_run_that_never_ends_is_ended_and_told(
    tmp_path: Path, started: Start, written: Write, endless: bytes
) -> None:
    config = GatewayConfig(home=tmp_path, serving=Serving(max_run_s=0.2))
    replica = started(written(endless), config)
    await replica.check_health()
    sound, hangs = np.zeros((1, 1), np.float32), np.full((1, 1), 2, np.float32)
    await replica.run({"x": sound}, (), FAR_NS)  # tells of what warming did
    ended = await replica.run({"x": hangs}, (), FAR_NS)
    assert ended.answer == (ErrorCode.DEADLINE, "the model ran for 0.2 s and was ended")
    assert ended.wedged == 1
    assert (await replica.run({"x": sound}, (), FAR_NS)).wedged == 0


async def test_what_it_logs_names_its_model_in_a_file_of_the_home(
    tmp_path: Path, started: Start, written: Write, lookup: bytes
) -> None:
    config = GatewayConfig(home=tmp_path)
    beside = claim(config.run_dir, "replica", 1)  # by a process that lives
    replica = started(written(lookup), config)
    await replica.check_health()
    await replica.run({"i": np.array([9])}, (), FAR_NS)
    lines = [json.loads(line) for line in log_file(tmp_path, "replica-1").read_text().splitlines()]
    assert {(line["process"], line["model"], line["version"]) for line in lines} == {("replica-1", "m", 1)}
    assert "a model fails to run: InvalidArgument" in [line["message"] for line in lines]
    beside.release()


async def test_a_version_that_does_not_load_says_why_and_is_tried_again(
    started: Start, written: Write, lookup: bytes
) -> None:
    entry = written(lookup)
    altered = written(b"another", signature=entry.signature)
    assert altered.artifact == entry.artifact
    replica = started(entry)
    await replica.check_health()  # no reason for Serve to start the process again
    assert await replica.ready() == (
        ErrorCode.INTERNAL,
        "the artifact was altered: it has another digest",
    )
    assert (await replica.run({"i": np.array([1])}, (), FAR_NS)).answer == (
        ErrorCode.NOT_READY,
        "the version does not load in its own process: the artifact was altered: it has another digest",
    )
    written(lookup)
    ready = await replica.ready()
    assert isinstance(ready, Ready)
    assert ready[:2] == (Batching.EXACT, Device.CPU)
    assert 0 < ready.run_ns < math.inf
    assert isinstance((await replica.run({"i": np.array([1])}, (), FAR_NS)).answer, dict)


async def test_a_caller_who_gives_up_ends_no_load_that_others_wait_for(
    started: Start, written: Write, lookup: bytes
) -> None:
    replica = started(written(lookup))
    gone = [
        asyncio.create_task(replica.ready()),
        asyncio.create_task(replica.run({"i": np.array([1])}, (), FAR_NS)),
    ]
    await asyncio.sleep(0)
    for caller in gone:
        caller.cancel()
    assert isinstance(await replica.ready(), Ready)


async def test_where_another_process_serves_one_that_does_not_load_is_not_well(
    tmp_path: Path, started: Start, written: Write, lookup: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.serve.replica._PAUSE_S", 0.01)
    entry = written(lookup)
    written(b"another", signature=entry.signature)
    replica = started(entry, served=True)
    with pytest.raises(GatewayError, match="the artifact was altered"):
        await replica.check_health()
    (line,) = [json.loads(line) for line in log_file(tmp_path, "replica-0").read_text().splitlines()]
    assert line["message"].startswith("the version does not load: the artifact was altered")


@pytest.mark.parametrize(
    ("words", "lost"),
    [
        ("CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=h", True),
        ("CUBLAS failure 1: the library was not initialized ; expr=cublasCreate(&cublas_handle_);", True),
        ("CUDNN failure 4000: CUDNN_STATUS_INTERNAL_ERROR ; expr=cudnnCreate(&cudnn_handle_);", True),
        ("CUDA failure 2: out of memory ; GPU=0 ; hostname=h", False),
        ("CUBLAS failure 3: the resource allocation failed ; expr=cublasCreate(&cublas_handle_);", False),
    ],
)
async def test_a_process_whose_gpu_takes_no_more_runs_is_not_well(
    started: Start, written: Write, lookup: bytes, monkeypatch: pytest.MonkeyPatch, words: str, lost: bool
) -> None:
    replica = started(written(lookup))
    await replica.check_health()

    def fail(*_: object) -> None:
        raise RuntimeError(words)

    class Held:
        def update_inplace(self, _: Array) -> None:
            if lost:
                raise RuntimeError("CUDA failure 700: an illegal memory access was encountered")

    version: Any = await replica._version
    monkeypatch.setattr(version._session, "_run", fail)
    version._session._on_gpu = Held()
    together = await asyncio.gather(*(replica.run({"i": np.array([1])}, (), FAR_NS) for _ in range(3)))
    refused = (
        (ErrorCode.NOT_READY, "the model's GPU failed; try again in a moment")
        if lost
        else (ErrorCode.INTERNAL, "the model failed on this input")
    )
    assert [reply.answer for reply in together] == [refused] * 3
    if lost:
        with pytest.raises(GatewayError, match="GPU failed"):
            await replica.check_health()
    else:
        await replica.check_health()


def test_a_gpu_is_asked_for_only_where_the_runtime_can_use_it(
    tmp_path: Path, written: Write, lookup: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.serve.starting.offers_cuda", lambda: False)
    config = GatewayConfig(home=tmp_path, dedicated=Dedicated(min_replicas=1, max_replicas=3, cpus=0.5))
    # Where onnxruntime's wheel offers no CUDA, a GPU that is there stays for others.
    deployment = application("m", written(lookup), config, gpus=4.0)._bound_deployment
    assert deployment.ray_actor_options is not None
    assert deployment.ray_actor_options["num_gpus"] == 0
    assert deployment.ray_actor_options["num_cpus"] == 0.5
    scaling = deployment._deployment_config.autoscaling_config
    assert scaling is not None
    assert (scaling.min_replicas, scaling.max_replicas) == (1, 3)
    assert (scaling.upscale_delay_s, scaling.look_back_period_s, scaling.metrics_interval_s) == (30, 30, 10)
