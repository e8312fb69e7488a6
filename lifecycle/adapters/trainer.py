"""Runs recipes beside serving at low priority, each in a Ray task: a fresh process that ends with the job."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from lifecycle.adapters.recipe import MODEL, NICENESS, REFERENCE, find, run_recipe
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import TrainingJob

TIMEOUT_S = 1800.0
FIND_TIMEOUT_S = 60.0
"""To start a process and import a recipe."""
MAX_RETRIES = 2


class RayTrainer:
    """Implements `ports.Trainer`: trains on any node of the cluster; files travel by value.

    Ray must be running. A task whose worker or node dies is tried again; a recipe's own error is not.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s

    async def find(self, recipe: str) -> None:
        """Import a recipe where it would train, and call nothing. Raises LifecycleError REFUSED."""
        import ray

        options: dict[str, Any] = {"num_cpus": 0, "max_calls": 1}
        remote = cast("Callable[[Callable[..., Any]], Any]", ray.remote(**options))(_find)
        task = remote.remote(recipe)
        try:
            async with asyncio.timeout(FIND_TIMEOUT_S):
                refusal = await task
        except (TimeoutError, ray.exceptions.RayError):
            refusal = f"recipe {recipe!r} could not be tried: its import ended the process, or did not end"
        finally:
            ray.cancel(task, force=True)
        if refusal:
            message = f"{refusal}; repair it and repeat, or leave it out"
            raise LifecycleError(LifecycleCode.REFUSED, message)

    async def train(self, job: TrainingJob) -> tuple[Path, Path]:
        """Returns the ONNX file and its reference data. Raises LifecycleError REFUSED, UNAVAILABLE."""
        import ray  # a cluster is joined only by who trains on one

        # max_calls=1: a fresh worker per job, so a recipe's leaks and niceness end with it.
        options: dict[str, Any] = {"num_cpus": 0, "max_calls": 1, "max_retries": MAX_RETRIES}
        remote = cast("Callable[[Callable[..., Any]], Any]", ray.remote(**options))(_train)
        data = await asyncio.to_thread(job.data.read_bytes)
        task = remote.remote(replace(job, data=Path("data"), output=Path("output")), data)
        try:
            async with asyncio.timeout(self._timeout_s):
                model, reference, refusal = await task
        except TimeoutError:
            raise _too_long(job, self._timeout_s) from None
        except ray.exceptions.RayError:
            message = (
                f"training of {job.model!r} was cut off {1 + MAX_RETRIES} times: its process or node ended, "
                "as in a crash or for want of memory; call the recipe by itself to see why"
            )
            raise LifecycleError(LifecycleCode.UNAVAILABLE, message) from None
        finally:
            ray.cancel(task, force=True)
        if refusal:
            raise LifecycleError(LifecycleCode.REFUSED, refusal)
        await asyncio.to_thread(_write, job.output, model, reference)
        return job.output / MODEL, job.output / REFERENCE


def _find(recipe: str) -> str:
    """The Ray task: why a recipe cannot be called, empty if it can."""
    try:
        find(recipe)
    except LifecycleError as error:
        return error.message
    return ""


def _train(job: TrainingJob, data: bytes) -> tuple[bytes, bytes, str]:
    """The Ray task: model, reference data, or why there are none."""
    os.nice(max(0, NICENESS - os.nice(0)))
    with tempfile.TemporaryDirectory() as folder:
        here = replace(job, data=Path(folder) / job.data, output=Path(folder) / job.output)
        here.data.write_bytes(data)
        try:
            model, reference = run_recipe(here)
        except LifecycleError as error:
            return b"", b"", error.message
        return model.read_bytes(), reference.read_bytes(), ""


def _write(output: Path, model: bytes, reference: bytes) -> None:
    output.mkdir(parents=True, exist_ok=True)
    (output / REFERENCE).write_bytes(reference)
    (output / MODEL).write_bytes(model)


def _too_long(job: TrainingJob, timeout_s: float) -> LifecycleError:
    return LifecycleError(LifecycleCode.REFUSED, f"recipe {job.recipe!r} took longer than {timeout_s:g} s")
