"""What runs in a dedicated version's process, without the process. `tests/e2e` has Serve around it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gateway.config import Dedicated, GatewayConfig
from gateway.core.batching import Batching
from gateway.core.routing import VersionEntry
from gateway.errors import ErrorCode
from gateway.serve.replica import Replica, application

FAR_NS = 60 * 10**9
Write = Callable[..., VersionEntry]


async def test_answers_joins_and_tells_errors_as_values(
    tmp_path: Path, written: Write, lookup: bytes
) -> None:
    replica = Replica("m", written(lookup), GatewayConfig(home=tmp_path), gpu=False)
    await replica.check_health()
    replies = await asyncio.gather(*(replica.run({"i": np.array([i])}, (), FAR_NS) for i in (1, 2, 9)))
    assert [reply["y"].tolist() for reply in replies if isinstance(reply, dict)] == [[10], [20]]
    assert replies[2] == (ErrorCode.INTERNAL, "the model failed on this input")
    assert await replica.run({"i": np.array([1])}, (), 0) == (
        ErrorCode.DEADLINE,
        "the request's deadline passed before it was answered",
    )
    await replica._loader.close()


async def test_a_version_that_does_not_load_says_why_and_is_tried_again(
    tmp_path: Path, written: Write, lookup: bytes
) -> None:
    entry = written(lookup)
    altered = written(b"another", signature=entry.signature)
    assert altered.artifact == entry.artifact
    replica = Replica("m", entry, GatewayConfig(home=tmp_path), gpu=False)
    await replica.check_health()  # no reason for Serve to start the process again
    refused = (ErrorCode.INTERNAL, "the artifact was altered: it has another digest")
    assert await replica.ready() == refused
    assert await replica.run({"i": np.array([1])}, (), FAR_NS) == refused
    written(lookup)
    assert isinstance(await replica.ready(), Batching)
    await replica._loader.close()


def test_a_gpu_is_asked_for_only_where_the_runtime_can_use_it(
    tmp_path: Path, written: Write, lookup: bytes
) -> None:
    config = GatewayConfig(home=tmp_path, dedicated=Dedicated(min_replicas=1, max_replicas=3, cpus=0.5))
    # onnxruntime's wheel for CPUs offers no CUDA, so a GPU that is there stays for others.
    deployment = application("m", written(lookup), config, gpus=4.0)._bound_deployment
    assert deployment.ray_actor_options is not None
    assert deployment.ray_actor_options["num_gpus"] == 0
    assert deployment.ray_actor_options["num_cpus"] == 0.5
    scaling = deployment._deployment_config.autoscaling_config
    assert scaling is not None
    assert (scaling.min_replicas, scaling.max_replicas) == (1, 3)
    assert (scaling.upscale_delay_s, scaling.look_back_period_s, scaling.metrics_interval_s) == (30, 30, 10)
