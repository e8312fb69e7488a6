"""The SDK against a real admin API, and against things that are none."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.core.capture import blocks
from lifecycle.client import AsyncClient, Client
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.desk import capture, onnx_bytes
from tests.lifecycle.live import Live, serving


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with serving(tmp_path) as found:
        yield found


@pytest.fixture
def client(live: Live) -> Iterator[Client]:
    with Client(live.url, actor="ada") as found:
        yield found


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(onnx_bytes("1"))
    return path


def code_of(error: pytest.ExceptionInfo[LifecycleError]) -> LifecycleCode:
    return error.value.code


def test_a_models_life(client: Client, artifact: Path) -> None:
    first = client.register("fraud", artifact, recipe="recipes:fit")
    client.deploy("fraud", first["number"])
    artifact.write_bytes(onnx_bytes("2"))
    second = client.register("fraud", str(artifact), number=5)  # a path as people type it
    client.validate("fraud", 5)
    client.approve("fraud", 5)
    seen = client.at_revision(client.traffic("fraud")["revision"])
    set_to = seen.set_traffic("fraud", {1: 75, 5: 25})
    with pytest.raises(LifecycleError, match="look again") as stale:
        seen.set_traffic("fraud", {5: 100})
    assert code_of(stale) is LifecycleCode.STALE
    client.set_traffic("fraud", {5: 100})
    back = client.rollback("fraud")

    assert (second["number"], second["submitter"]) == (5, "ada")
    assert set_to["weights"] == {"1": 75.0, "5": 25.0}
    assert back["weights"] == {"1": 100.0}
    assert client.retire("fraud", 5)["stage"] == "retired"
    assert [version["number"] for version in client.versions("fraud")] == [1, 5]
    assert client.model("fraud") == client.models()[0]
    assert client.verify()["ok"]
    assert len(client.audit_key()) == 64
    assert client.audit("fraud")[0]["kind"] == "version.registered"
    assert client.audit_at(str(time.time()), "fraud")[0]["champion"] == 1


def test_a_rollout_and_its_reins(client: Client, artifact: Path) -> None:
    client.register("fraud", artifact)
    client.deploy("fraud", 1)
    artifact.write_bytes(onnx_bytes("2"))
    client.register("fraud", artifact)
    assert client.deploy("fraud", 2, "cautious")["rollout"]["plan"]["name"] == "cautious"
    assert client.pause("fraud")["paused"]
    assert not client.resume("fraud")["paused"]
    assert client.promote("fraud")["active"]
    assert client.abort("fraud")["phase"] == client.rollout("fraud")["phase"] == "aborted"
    assert client.start_rollout("fraud", 2, {"steps": [{"weight": 5}]})["plan"]["steps"][0]["weight"] == 5
    assert len(client.rollouts("fraud")) == 2


def test_labels_as_pairs(client: Client, live: Live, artifact: Path) -> None:
    client.register("fraud", artifact)
    live.captures.append(blocks([capture("a")]))
    assert client.feedback("fraud", {"a": 1, "z": 0})["joined"] == 1
    assert client.series("fraud")["points"] == client.drift("fraud")["features"] == []
    assert client.performance("fraud")["fall"] is None
    assert not client.retraining("fraud")["running"]


def test_events_come_as_they_are_written(client: Client, artifact: Path) -> None:
    client.register("fraud", artifact)
    client.register("loans", artifact)
    first = next(client.events(after=0))
    assert (first["kind"], first["model"]) == ("version.registered", "fraud")
    assert next(client.events("loans", after=0))["model"] == "loans"


async def test_the_same_words_in_an_event_loop(live: Live, artifact: Path) -> None:
    async with AsyncClient(live.url, actor="bob") as client:
        first = await client.register("fraud", artifact)
        await client.deploy("fraud", first["number"])
        await client.register("loans", artifact)
        assert (await client.versions("fraud"))[0]["submitter"] == "bob"
        async for record in client.events("loans", after=0):
            assert (record["kind"], record["model"]) == ("version.registered", "loans")
            break
        with pytest.raises(LifecycleError, match="there is no model 'none'"):
            await client.model("none")
    async with AsyncClient("http://127.0.0.1:1") as nobody:
        with pytest.raises(LifecycleError, match="start one with `headrace up`"):
            await nobody.status()


def test_errors_come_back_as_they_were_raised(client: Client, artifact: Path, tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="there is no model 'none'") as missing:
        client.model("none")
    client.register("fraud", artifact)
    with pytest.raises(LifecycleError, match="no recipe") as invalid:
        client.retrain("fraud", "why not")
    with pytest.raises(LifecycleError, match="cannot read") as unread:
        client.register("fraud", tmp_path / "none.onnx")
    assert code_of(missing) is LifecycleCode.NOT_FOUND
    assert code_of(invalid) is code_of(unread) is LifecycleCode.INVALID


def test_nobody_there() -> None:
    with Client("http://127.0.0.1:1") as client:
        for call in (client.status, lambda: next(client.events())):
            with pytest.raises(LifecycleError, match="start one with `headrace up`") as raised:
                call()
            assert code_of(raised) is LifecycleCode.UNAVAILABLE


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<html>"), httpx.Response(502, text="bad gateway")]
)
def test_somebody_else_there(answer: httpx.Response) -> None:
    with (
        Client("http://other", transport=httpx.MockTransport(lambda _: answer)) as client,
        pytest.raises(LifecycleError, match="check the URL"),
    ):
        client.status()


def test_a_change_whose_answer_was_lost_is_asked_for_again_under_its_key() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers["idempotency-key"])
        if len(asked) == 1:
            raise httpx.ReadError("reset by peer")
        return httpx.Response(200, json={})

    with Client("http://h", transport=httpx.MockTransport(answer)) as client:
        client.pause("m")
        client.resume("m")
    assert asked[0] == asked[1] != asked[2]


def test_names_cannot_leave_their_place() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200, json={})

    with Client("http://h", transport=httpx.MockTransport(answer)) as client:
        client.model("../status?x=1")
    assert asked == ["/v1/models/..%2Fstatus%3Fx%3D1"]
