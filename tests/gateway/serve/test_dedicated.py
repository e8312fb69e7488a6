"""A version that runs elsewhere, as a worker calls it. Serve is a fake here; `tests/e2e` has the real one."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Generator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import ray
from ray.serve.exceptions import BackPressureError, RequestCancelledError
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview

from gateway.config import Dedicated, Serving
from gateway.core.batching import Batching
from gateway.core.figures import Run
from gateway.core.placement import Device, application_name
from gateway.core.routing import VersionEntry
from gateway.core.signature import Signature
from gateway.core.types import Array, VersionKey
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.stages import StageLog
from gateway.serve.dedicated import ATTEMPTS, DedicatedLoader, DedicatedVersion
from gateway.serve.replica import Ready, Reply

ANSWER: dict[str, Array] = {"y": np.zeros(1, np.float32)}
KEY = ("m", 1)
ENTRY = VersionEntry(1, "", f"sha256:{'0' * 64}", Signature((), ()))


class Response:
    """What Serve gives at once for a call: to be awaited, or cancelled."""

    def __init__(self, work: Awaitable[Reply]) -> None:
        self._work = work
        self.cancelled = False

    def __await__(self) -> Generator[Any, None, Reply]:
        return self._work.__await__()

    def cancel(self) -> None:
        self.cancelled = True


class Handle:
    """`does` says what each call in turn comes to."""

    def __init__(self, *does: Callable[[], Awaitable[Reply]]) -> None:
        self._does = list(does)
        self.responses: list[Response] = []
        self.left_ns: list[int] = []
        self.run = self

    def remote(self, inputs: object, outputs: object, left_ns: int) -> Response:
        self.left_ns.append(left_ns)
        does = self._does.pop(0) if len(self._does) > 1 else self._does[0]
        self.responses.append(Response(does()))
        return self.responses[-1]


def version(handle: Any, queue: int = 8, stages: StageLog | None = None) -> DedicatedVersion:
    serving = Serving(queue=queue, max_run_s=5)
    return DedicatedVersion(
        "m", ENTRY, handle, Ready(Batching.OFF, Device.CPU, 8e6), serving, stages or StageLog()
    )


def failing(error: Exception) -> Callable[[], Awaitable[Reply]]:
    async def fail() -> Reply:
        raise error

    return fail


async def answer() -> Reply:
    return Reply(ANSWER)


async def never() -> Reply:
    return await asyncio.Future()


async def test_a_run_that_its_replica_did_not_survive_is_tried_again() -> None:
    handle = Handle(failing(ray.exceptions.ActorDiedError()), answer)
    assert await version(handle).run({}, (), 0) == ANSWER
    assert len(handle.responses) == 2


async def test_one_that_ends_every_replica_does_not_end_many() -> None:
    handle = Handle(failing(ray.exceptions.ActorDiedError()))
    with pytest.raises(GatewayError) as caught:
        await version(handle).run({}, (), 0)
    assert caught.value.code is ErrorCode.NOT_READY
    assert len(handle.responses) == ATTEMPTS


async def test_an_error_keeps_its_code_and_words() -> None:
    async def told() -> Reply:
        return Reply((ErrorCode.INTERNAL, "the model failed on this input"))

    with pytest.raises(GatewayError, match="failed on this input") as caught:
        await version(Handle(told)).run({}, (), 0)
    assert caught.value.code is ErrorCode.INTERNAL


async def test_runs_that_a_replica_tells_of_are_noted_whatever_the_answer_is() -> None:
    run = Run((1_000, 2_000), 3_000, 4_000, 9_000, rows=5)

    async def told() -> Reply:
        return Reply((ErrorCode.INTERNAL, "the model failed on this input"), (run,), wedged=2)

    stages = StageLog()
    with pytest.raises(GatewayError):
        await version(Handle(told), stages=stages).run({}, (), 0)
    totals = stages.totals(KEY)
    assert (totals.runs, totals.requests, totals.waited_ns, totals.ran_ns) == (1, 2, 5_000, 10_000)
    assert totals.by_rows == {5: (1, 5_000)}
    assert list(stages.drain()) == [(KEY, run)]
    assert stages.wedged_elsewhere == 2


async def test_a_deadline_is_told_as_time_left_and_ends_the_call() -> None:
    handle = Handle(never)
    with pytest.raises(GatewayError) as caught:
        await version(handle).run({}, (), time.monotonic_ns() + 20_000_000)
    assert caught.value.code is ErrorCode.DEADLINE
    assert 0 < handle.left_ns[0] <= 20_000_000
    assert handle.responses[0].cancelled


async def test_what_becomes_of_a_call_that_was_given_up_is_nothing_to_log() -> None:
    async def cancelled() -> Reply:
        try:
            return await asyncio.Future()
        except asyncio.CancelledError:  # as Serve's handle has it
            raise RequestCancelledError("call") from None

    logged: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
    with pytest.raises(GatewayError):
        await version(Handle(cancelled)).run({}, (), time.monotonic_ns() + 20_000_000)
    await asyncio.sleep(0.01)
    gc.collect()
    assert logged == []


async def test_what_is_late_already_is_not_sent() -> None:
    handle = Handle(answer)
    with pytest.raises(GatewayError) as caught:
        await version(handle).run({}, (), time.monotonic_ns() - 1)
    assert caught.value.code is ErrorCode.DEADLINE
    assert handle.responses == []


async def test_a_caller_who_goes_takes_the_call_along_and_gives_its_place_back() -> None:
    handle = Handle(never, answer)
    dedicated = version(handle, queue=1)
    gone = asyncio.create_task(dedicated.run({}, (), 0))
    await asyncio.sleep(0)
    with pytest.raises(GatewayError) as caught:
        await dedicated.run({}, (), 0)
    assert caught.value.code is ErrorCode.OVERLOADED
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert handle.responses[0].cancelled
    assert await dedicated.run({}, (), 0) == ANSWER


async def test_while_no_process_runs_it_who_comes_and_who_waits_is_refused_with_the_reason() -> None:
    handle = Handle(never, answer)
    dedicated = version(handle)
    waiting = asyncio.create_task(dedicated.run({}, (), 0))
    await asyncio.sleep(0)
    dedicated.lose("the artifact is gone")
    for refused in (waiting, dedicated.run({}, (), 0)):
        with pytest.raises(GatewayError, match="'m' does not load: the artifact is gone") as caught:
            await refused
        assert caught.value.code is ErrorCode.NOT_READY
    assert handle.responses[0].cancelled
    dedicated.lose("")
    assert await dedicated.run({}, (), 0) == ANSWER


async def test_a_version_is_looked_after_until_it_is_unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.serve.dedicated._LOOK_S", 0.01)
    fine, refused = Ready(Batching.OFF, Device.CPU), (ErrorCode.INTERNAL, "the artifact is gone")
    replies: list[Any] = [fine, fine, refused, refused, ray.exceptions.ActorDiedError(), refused, fine]

    class Ask:
        async def remote(self) -> Any:
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
            if isinstance(reply, Exception):
                raise reply
            return reply

    handle = SimpleNamespace(ready=Ask(), run=Handle(answer))
    running: Any = SimpleNamespace(replica_states={"RUNNING": 1})
    found = ApplicationStatusOverview(ApplicationStatus.RUNNING, "", 0.0, {"Replica": running})
    everything = SimpleNamespace(applications={application_name("m", 1, ENTRY.digest): found})
    monkeypatch.setattr("gateway.serve.dedicated.serve.status", lambda: everything)
    monkeypatch.setattr("gateway.serve.dedicated.serve.get_app_handle", lambda _: handle)
    told: asyncio.Queue[tuple[VersionKey, str]] = asyncio.Queue()
    loader = DedicatedLoader(
        Serving(),
        Dedicated(),
        StageLog(),
        lambda key, error: told.put_nowait((key, error.message if error else "")),
    )
    loaded = await loader.load("m", ENTRY)
    assert await told.get() == (KEY, "the artifact is gone")
    assert await told.get() == (KEY, "")
    loader.unload("m", loaded)
    await asyncio.sleep(0.05)
    assert told.empty()
    assert await loaded.run({}, (), 0) == ANSWER


async def test_a_full_application_is_overload() -> None:
    handle = Handle(failing(BackPressureError(num_queued_requests=1, max_queued_requests=1)))
    with pytest.raises(GatewayError) as caught:
        await version(handle).run({}, (), 0)
    assert caught.value.code is ErrorCode.OVERLOADED
