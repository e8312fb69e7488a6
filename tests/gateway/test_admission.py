"""Places of a limited model: who gets in, who waits, who is turned away."""

import asyncio
import time

import pytest

from gateway.admission import Admission
from gateway.core.limits import ModelLimits
from gateway.errors import ErrorCode, GatewayError

ONE_AND_ONE = ModelLimits(max_concurrency=1, max_queue=1)


async def test_more_than_run_and_wait_are_refused_at_once_and_counted() -> None:
    places = Admission()
    await places.enter("m", ONE_AND_ONE, 0)
    waiting = asyncio.create_task(places.enter("m", ONE_AND_ONE, 0))
    await asyncio.sleep(0)
    with pytest.raises(GatewayError) as caught:
        await places.enter("m", ONE_AND_ONE, 0)
    assert caught.value.code is ErrorCode.OVERLOADED
    assert places.refused == {"m": 1}
    places.leave("m")
    await waiting
    places.leave("m")
    await places.enter("m", ONE_AND_ONE, 0)


async def test_of_models_that_went_nothing_is_kept() -> None:
    places = Admission()
    await places.enter("m", ModelLimits(1), 0)
    with pytest.raises(GatewayError):
        await places.enter("m", ModelLimits(1), 0)
    places.forget({"m"})
    assert places.refused == {"m": 1}
    places.forget({"n"})
    assert places.refused == {}


async def test_models_do_not_take_each_others_places() -> None:
    places = Admission()
    for model in ("a", "b"):
        await places.enter(model, ModelLimits(1), 0)


async def test_those_who_wait_go_in_order() -> None:
    places, order = Admission(), list[int]()
    limits = ModelLimits(1, 10)
    await places.enter("m", limits, 0)

    async def visit(number: int) -> None:
        await places.enter("m", limits, 0)
        order.append(number)
        places.leave("m")

    visits = [asyncio.create_task(visit(number)) for number in range(5)]
    await asyncio.sleep(0)
    places.leave("m")
    await asyncio.gather(*visits)
    assert order == list(range(5))


async def test_a_deadline_ends_the_wait_and_frees_the_queue() -> None:
    places = Admission()
    await places.enter("m", ONE_AND_ONE, 0)
    with pytest.raises(GatewayError) as caught:
        await places.enter("m", ONE_AND_ONE, time.monotonic_ns() + 1_000_000)
    assert caught.value.code is ErrorCode.DEADLINE
    waiting = asyncio.create_task(places.enter("m", ONE_AND_ONE, 0))
    await asyncio.sleep(0)
    places.leave("m")
    await waiting


async def test_a_caller_who_leaves_the_queue_blocks_nobody() -> None:
    places = Admission()
    await places.enter("m", ONE_AND_ONE, 0)
    for _ in range(2):
        waiting = asyncio.create_task(places.enter("m", ONE_AND_ONE, 0))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    # Its turn comes in the same moment as it goes.
    waiting = asyncio.create_task(places.enter("m", ONE_AND_ONE, 0))
    await asyncio.sleep(0)
    places.leave("m")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await places.enter("m", ONE_AND_ONE, 0)


async def test_a_model_is_full_while_its_last_place_is_taken() -> None:
    places = Admission()
    await places.enter("m", ONE_AND_ONE, 0)
    assert places.full == set()
    for _ in range(2):
        waiting = asyncio.create_task(places.enter("m", ONE_AND_ONE, 0))
        await asyncio.sleep(0)
        assert places.full == {"m"}
        with pytest.raises(GatewayError, match="at its limit"):
            places.check("m", ONE_AND_ONE)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert places.full == set()
        places.check("m", ONE_AND_ONE)
    assert places.refused == {"m": 2}
    places.leave("m")
    await places.enter("m", ModelLimits(1), 0)
    assert places.full == {"m"}
    places.leave("m")
    assert places.full == set()


async def test_limits_that_were_widened_count_at_once() -> None:
    places = Admission()
    await places.enter("m", ModelLimits(1), 0)
    for wider in (ModelLimits(2), ModelLimits(1, 1), ModelLimits()):
        places.check("m", wider)
    assert not places.refused


async def test_a_limit_that_is_raised_lets_in_who_waits() -> None:
    places = Admission()
    await places.enter("m", ModelLimits(1, 10), 0)
    waiting = [asyncio.create_task(places.enter("m", ModelLimits(1, 10), 0)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.wait_for(places.enter("m", ModelLimits(4, 10), 0), 10)
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
