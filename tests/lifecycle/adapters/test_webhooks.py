"""Webhooks against a real receiver that fails now and then."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from lifecycle.adapters.sql.store import SqlStore
from lifecycle.adapters.webhooks import WebhookSender
from lifecycle.config import Webhook
from lifecycle.core.governance.webhook import verify
from lifecycle.ports import Entry

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver:
    """Takes messages after refusing some; notes what it took and how often it was asked."""

    def __init__(self, refuses: int = 0) -> None:
        self.refuses = refuses
        self.asked: list[str] = []
        self.kinds: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.asked.append(headers["webhook-id"])
                status = 204
                if not verify(SECRET, headers, body, time.time()):
                    status = 401
                elif len(outer.asked) <= outer.refuses:
                    status = 503
                else:
                    outer.kinds.append(json.loads(body)["type"])
                self.send_response(status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    @contextmanager
    def serving(self) -> Iterator[str]:
        self._thread.start()
        try:
            yield f"http://127.0.0.1:{self._server.server_port}/hook"
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = SqlStore(f"sqlite:///{tmp_path}/registry.db")
    made.commit(Entry("ann", "rollout.before", "m"))
    yield made
    made.close()


async def sending(store: SqlStore, url: str, until: Callable[[], bool], kinds: tuple[str, ...] = ()) -> None:
    """A controller's life, until something has happened."""
    webhook = Webhook(name="pager", url=url, secret=SecretStr(SECRET), kinds=kinds)
    sender = WebhookSender(webhook, store, store.deliveries, time.time, pause=lambda _: 0.01)
    task = asyncio.create_task(sender.run())
    for _ in range(500):
        if until():
            break
        await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_records_come_in_order_however_often_the_receiver_fails(store: SqlStore) -> None:
    store.deliveries.reach("pager", 1)
    for kind in ("rollout.start", "rollout.load", "rollout.promote"):
        store.commit(Entry("ann", kind, "m"))
    receiver = Receiver(refuses=3)
    with receiver.serving() as url:
        await sending(store, url, lambda: store.deliveries.reached("pager") == 4)
    assert receiver.kinds == ["rollout.start", "rollout.load", "rollout.promote"]
    assert len(set(receiver.asked[:4])) == 1, "the same message was tried again"


async def test_a_restart_goes_on_where_it_was_and_kinds_are_chosen(store: SqlStore) -> None:
    receiver = Receiver()
    with receiver.serving() as url:
        await sending(store, url, lambda: store.deliveries.reached("pager") == 1, ("rollout",))
        assert receiver.kinds == [], "a new webhook tells of nothing that was before it"
        for kind in ("rollout.start", "drift.detected", "rollout.abort", "drift.cleared"):
            store.commit(Entry("ann", kind, "m"))
        await sending(store, url, lambda: store.deliveries.reached("pager") == 5, ("rollout",))
        await sending(store, url, lambda: True, ("rollout",))
    assert receiver.kinds == ["rollout.start", "rollout.abort"]


@asynccontextmanager
async def dripping(begins: str, goes_on: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A receiver whose answers have no end, and what it was asked."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(begins.encode())
        with suppress(ConnectionError):
            while not over.is_set():
                writer.write(goes_on.encode())
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    over = asyncio.Event()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", asked
    finally:
        over.set()
        server.close()
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("begins", "goes_on", "taken"),
    [
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n", True),
        ("HTTP/1.1 503 No\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n", False),
        ("HTTP/1.1 200 OK\r\n", "x-more: y\r\n", False),
    ],
    ids=["a body after 200", "a body after 503", "headers"],
)
async def test_an_answer_without_end_holds_nothing_up(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, begins: str, goes_on: str, taken: bool
) -> None:
    """Only a status counts, and it has to come within a time."""
    monkeypatch.setattr("lifecycle.adapters.webhooks.TIMEOUT_S", 10 if taken else 0.5)
    store.deliveries.reach("pager", 0)
    async with dripping(begins, goes_on) as (url, asked):
        await sending(store, url, lambda: len(asked) > 1 or store.deliveries.reached("pager") == 1)
    assert (store.deliveries.reached("pager") == 1) == taken
    assert (len(asked) == 1) == taken


async def test_a_receiver_that_is_not_there_loses_nothing(store: SqlStore) -> None:
    store.deliveries.reach("pager", 0)
    with Receiver().serving() as gone:
        pass
    await sending(store, gone, iter([False] * 10 + [True]).__next__)
    assert store.deliveries.reached("pager") == 0
