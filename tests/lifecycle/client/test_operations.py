"""One description of a request serves both clients, and both make the same request of it."""

import inspect

import httpx

from lifecycle.client import AsyncClient, Client
from lifecycle.client.operation import Operation
from lifecycle.client.operations import Operations


async def test_both_clients_send_the_same() -> None:
    asked: list[tuple[str, str, bytes, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, str(request.url), request.content, request.headers.get("if-match", "")))
        return httpx.Response(200, json={"models": []})

    transport = httpx.MockTransport(answer)
    with Client("http://h/", transport=transport) as client:
        client.at_revision(7).set_traffic("m", {1: 100})
        client.at_revision(7).models()
        client.retire("m", 1)
    async with AsyncClient("http://h", transport=transport) as looped:
        await looped.at_revision(7).set_traffic("m", {1: 100})
        await looped.at_revision(7).models()
        await looped.retire("m", 1)
    assert asked[:3] == asked[3:]
    # What only reads asks for no revision, and the client that was held to one is as it was.
    assert [(method, condition) for method, _, _, condition in asked[:3]] == [
        ("PUT", '"7"'),
        ("GET", ""),
        ("POST", ""),
    ]


def test_every_word_explains_itself_on_a_client() -> None:
    words = [name for name in dir(Operations) if isinstance(getattr(Operations, name), Operation)]
    with Client("http://h") as client:
        assert "model" in inspect.signature(client.start_rollout).parameters
        assert "preset" in (client.start_rollout.__doc__ or "")
        assert all(callable(getattr(client, word)) for word in words)
    assert len(words) > 30
