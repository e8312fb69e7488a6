import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from gateway.core.batching import Batching
from gateway.core.placement import Device, Placed, Placement
from gateway.core.routing import EMPTY, RouteTable, VersionEntry
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Array, InferRequest, InferResponse, Outcome, Role
from gateway.errors import ErrorCode, GatewayError
from gateway.telemetry.pairs import Pairs
from gateway.telemetry.shadow import ShadowQueue

SIGNATURE = Signature((TensorSpec("x", "FP32", (-1,)),), (TensorSpec("y", "FP32", (-1,)),))
ROW: dict[str, Array] = {"x": np.ones(1, np.float32)}


@dataclass
class Version:
    """Answers its input times `factor`, or fails with `error`."""

    factor: float = 1.0
    error: GatewayError | None = None
    entry: VersionEntry = field(default_factory=lambda: VersionEntry(2, "", "", SIGNATURE))
    signature: Signature = SIGNATURE
    size_bytes: int = 0
    running: int = 0
    batching: Batching = Batching.OFF
    device: Device = Device.CPU
    placed = Placed(Placement.POOL, 1e6)

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        assert (outputs, deadline_ns) == ((), 0)
        if self.error is not None:
            raise self.error
        return {"y": np.float32(self.factor) * np.asarray(inputs["x"], np.float32)}


class Hanging(Version):
    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        return await asyncio.Future()


@dataclass
class Routes:
    versions: dict[int, Version]
    table: RouteTable = EMPTY

    failed: Mapping[tuple[str, int], str] = field(default_factory=dict)

    def loaded(self, model: str, version: int) -> Version | None:
        return None

    async def load(self, model: str, version: int, deadline_ns: int) -> Version:
        try:
            return self.versions[version]
        except KeyError:
            raise GatewayError(ErrorCode.NOT_READY, f"there is no room for {model}") from None


@dataclass
class Tap:
    seen: list[tuple[str, int, Role, Outcome, str]] = field(default_factory=list)
    answers: list[Mapping[str, Array] | None] = field(default_factory=list)

    def record(
        self,
        request: InferRequest,
        version: int,
        role: Role,
        outcome: Outcome,
        latency_ns: int,
        outputs: Mapping[str, Array] | None,
        prediction_id: str,
    ) -> None:
        assert latency_ns > 0
        self.seen.append((request.model, version, role, outcome, prediction_id))
        self.answers.append(outputs)


def submit(queue: ShadowQueue, shadows: tuple[int, ...], inputs: dict[str, Array] = ROW) -> None:
    request = InferRequest("m", None, inputs, outputs=("y",), deadline_ns=1)
    queue.submit(request, InferResponse("m", 1, Role.CHAMPION, {}, "", "p1"), shadows)


async def copied(versions: dict[int, Version], inputs: dict[str, Array] = ROW) -> tuple[Tap, ShadowQueue]:
    tap = Tap()
    queue = ShadowQueue(Routes(versions), tap, Pairs(), 10)
    await queue.start()
    submit(queue, tuple(sorted(versions)) or (2,), inputs)
    await queue.idle()
    await queue.stop()
    return tap, queue


async def test_every_shadow_answers_under_the_primarys_prediction_id() -> None:
    tap, _ = await copied({2: Version(), 3: Version(3.0)})
    assert tap.seen == [
        ("m", 2, Role.SHADOW, Outcome.OK, "p1"),
        ("m", 3, Role.SHADOW, Outcome.OK, "p1"),
    ]
    assert tap.answers[1] is not None
    assert tap.answers[1]["y"].tolist() == [3.0]


async def test_only_the_champions_answers_are_compared_with() -> None:
    pairs = Pairs()
    queue = ShadowQueue(Routes({2: Version(3.0)}), Tap(), pairs, 10)
    await queue.start()
    request = InferRequest("m", None, ROW)
    for role in (Role.CHAMPION, Role.PINNED, Role.CANARY):
        queue.submit(request, InferResponse("m", 1, role, {"y": np.ones(1, np.float32)}, "", "p1"), (2,))
    await queue.idle()
    await queue.stop()
    (window,) = pairs.drain(7.0)
    assert (window.version, window.role, window.requests) == (2, Role.SHADOW, 0)
    assert (window.disagreement.pairs, window.disagreement.differing) == (1, 1)


async def test_a_bad_answer_and_a_failure_count_against_the_shadow() -> None:
    failure = GatewayError(ErrorCode.INTERNAL, "the model failed")
    tap, _ = await copied({2: Version(np.nan), 3: Version(error=failure)})
    assert [outcome for _, _, _, outcome, _ in tap.seen] == [Outcome.INVALID_OUTPUT, Outcome.SERVER_ERROR]
    assert tap.answers[1] is None


async def test_a_request_that_only_the_primary_takes_counts_against_the_shadow() -> None:
    tap, _ = await copied({2: Version()}, {"other": np.ones(1)})
    assert [outcome for _, _, _, outcome, _ in tap.seen] == [Outcome.SERVER_ERROR]


@pytest.mark.parametrize("versions", [{}, {2: Version(error=GatewayError(ErrorCode.OVERLOADED, "full"))}])
async def test_want_of_room_or_time_is_no_evidence(versions: dict[int, Version]) -> None:
    tap, queue = await copied(versions)
    assert (tap.seen, queue.dropped) == ([], 1)


async def test_a_full_queue_drops_and_counts() -> None:
    queue = ShadowQueue(Routes({2: Version()}), Tap(), Pairs(), 1)
    for _ in range(3):
        submit(queue, (2,))
    assert queue.dropped == 2


async def test_the_version_that_served_is_not_copied_to_itself() -> None:
    tap = Tap()
    queue = ShadowQueue(Routes({1: Version()}), tap, Pairs(), 1)
    submit(queue, (1,))
    await queue.start()
    await queue.idle()
    await queue.stop()
    assert (tap.seen, queue.dropped) == ([], 0)


async def test_live_requests_get_a_turn_between_two_copies() -> None:
    tap, turns = Tap(), list[int]()
    queue = ShadowQueue(Routes({2: Version()}), tap, Pairs(), 10)
    for _ in range(5):
        submit(queue, (2,))
    await queue.start()
    while len(tap.seen) < 5:
        await asyncio.sleep(0)
        turns.append(len(tap.seen))
    await queue.stop()
    assert turns[0] <= 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(turns))


async def test_a_shadow_that_hangs_keeps_no_other_from_its_copies() -> None:
    tap, hangs = Tap(), Hanging()
    queue = ShadowQueue(Routes({2: hangs, 3: Version()}), tap, Pairs(), 10)
    await queue.start()
    for _ in range(20):
        submit(queue, (2, 3))
        for _ in range(20):  # turns of the loop, more than a copy takes
            await asyncio.sleep(0)
    assert [version for _, version, *_ in tap.seen] == [3] * 20
    assert queue.dropped > 0
    await queue.stop()


async def test_what_waits_is_bounded_in_bytes() -> None:
    queue = ShadowQueue(Routes({2: Version()}), Tap(), Pairs(), 1_000, most_bytes=1_000)
    for _ in range(10):
        submit(queue, (2,), {"x": np.ones(50, np.float32)})
    assert queue.dropped == 7


async def test_texts_count_as_what_they_take() -> None:
    queue = ShadowQueue(Routes({2: Version()}), Tap(), Pairs(), 1_000, most_bytes=100_000)
    for _ in range(10):
        submit(queue, (2,), {"x": np.array([b"t" * 20_000], np.object_)})
    assert queue.dropped == 8


async def test_stopping_twice_or_unstarted_is_fine() -> None:
    queue = ShadowQueue(Routes({}), Tap(), Pairs(), 1)
    await queue.stop()
    await queue.start()
    await queue.stop()
    await queue.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}
