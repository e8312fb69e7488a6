"""What a worker says of a controller that refuses, dies or does not answer. The actor is a fake."""

import asyncio
from types import SimpleNamespace

import pytest
import ray

from gateway.errors import ErrorCode, GatewayError
from gateway.serve import repository, sync
from gateway.serve.repository import ControllerRepository


class Controller:
    def __init__(self) -> None:
        self.starting = False
        self.refusal: GatewayError | None = None
        self.error: Exception | None = None
        self.asked: list[tuple[str, str, str]] = []

    def find(self, name: str, namespace: str) -> SimpleNamespace:
        if (name, namespace) != (sync.CONTROLLER, sync.NAMESPACE):
            raise ValueError("no such actor")
        calls = {"ready": self.ready, "control": self.control}
        return SimpleNamespace(**{name: SimpleNamespace(remote=call) for name, call in calls.items()})

    async def ready(self) -> None:
        if self.starting:
            await asyncio.Event().wait()

    async def control(self, verb: str, model: str, actor: str) -> GatewayError | None:
        self.asked.append((verb, model, actor))
        if self.error is not None:
            raise self.error
        return self.refusal


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    made = Controller()
    monkeypatch.setattr(ray, "get_actor", made.find)
    monkeypatch.setattr(repository, "_ANSWERS_WITHIN_S", 0.05)
    return made


async def test_it_does_what_it_is_asked(controller: Controller) -> None:
    await ControllerRepository().change("load", "m", "ann")
    assert controller.asked == [("load", "m", "ann")]


async def test_its_refusal_is_the_callers_answer(controller: Controller) -> None:
    controller.refusal = GatewayError(ErrorCode.NOT_FOUND, "there is no model 'm'")
    with pytest.raises(GatewayError, match="there is no model 'm'"):
        await ControllerRepository().change("load", "m", "ann")


async def test_one_that_starts_again_is_not_asked_later(controller: Controller) -> None:
    controller.starting = True
    with pytest.raises(GatewayError) as caught:
        await ControllerRepository().change("unload", "m", "ann")
    assert caught.value.code is ErrorCode.NOT_READY
    assert controller.asked == []


@pytest.mark.parametrize("error", [ray.exceptions.RayActorError(), TimeoutError()])
async def test_one_that_dies_meanwhile(error: Exception, controller: Controller) -> None:
    controller.error = error
    with pytest.raises(GatewayError) as caught:
        await ControllerRepository().change("load", "m", "ann")
    assert caught.value.code is ErrorCode.NOT_READY


async def test_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str, _namespace: str) -> None:
        raise ValueError("no such actor")

    monkeypatch.setattr(ray, "get_actor", missing)
    with pytest.raises(GatewayError) as caught:
        await ControllerRepository().change("load", "m", "ann")
    assert caught.value.code is ErrorCode.NOT_READY
