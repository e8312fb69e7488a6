"""What the express lane learns is bounded, and what cannot be learnt costs little."""

from types import SimpleNamespace

import pytest

from gateway.ports import Bindable
from tests.gateway.conftest import Write
from tests.gateway.server.express.bodies import BODY, rows
from tests.gateway.server.express.conftest import Start
from tests.gateway.server.express.graphs import noise
from tests.gateway.server.express.line import Line, alike, infer, route


async def test_a_random_model_is_not_learnt(start: Start, written: Write) -> None:
    line = await start(route("m", written(noise())))
    line.taught(infer("m", rows([[1, 2, 3]])))
    assert not line.goes_express(infer("m", rows([[1, 2, 3]])))


def named(number: int) -> bytes:
    return infer("m", BODY.replace(b'"inputs"', b'"n%03d": 0, "inputs"' % number))


async def test_with_many_words_the_old_ones_are_forgotten(
    start: Start, logistic: bytes, written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.server.express.express.MOST_LAYOUTS", 4)
    line = await start(route("m", written(logistic)))
    for number in range(12):
        for _ in range(2):
            line.taught(named(number))
        assert line.goes_express(named(number))
    assert not line.goes_express(named(0))


async def test_bodies_that_begin_alike_are_told_apart_by_their_later_words(
    start: Start, logistic: bytes, written: Write
) -> None:
    line = await start(route("m", written(logistic)))
    bodies = [infer("m", BODY.rstrip()[:-1] + b', "more": %d}' % number) for number in range(6)]
    for body in bodies[:4]:
        line.taught(body)
    assert all(line.goes_express(body) for body in bodies[:4])
    assert not line.goes_express(bodies[4])
    line.taught(bodies[4])  # one more than are tried in turn: it takes their place
    assert line.goes_express(bodies[4])
    assert not line.goes_express(bodies[0])


async def test_words_that_are_new_each_time_are_not_kept(lines: tuple[Line, Line]) -> None:
    express, usual = lines
    version = express.worker.routes.loaded("m", 1)
    assert isinstance(version, Bindable)
    kept = len(version.plans)
    for number in range(300):
        assert alike(express.ask(named(number))) == alike(usual.ask(named(number)))
    assert len(version.plans) == kept
    assert express.goes_express(infer("m", BODY))


async def test_what_is_tried_in_vain_is_tried_again_later(
    start: Start, logistic: bytes, written: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("gateway.server.express.express.time", SimpleNamespace(monotonic=lambda: now))
    line = await start(route("m", written(logistic)))
    for number in range(300):
        line.ask(named(number))
    line.taught(infer("m", BODY))
    assert not line.goes_express(infer("m", BODY))
    now = 11.0
    line.taught(infer("m", BODY))
    assert line.goes_express(infer("m", BODY))
