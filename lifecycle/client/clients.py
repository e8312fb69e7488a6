"""The two clients: `Operations` sent over a connection, and the stream of events."""

import json
from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import Self, cast

import httpx

from lifecycle.client.operations import Operations
from lifecycle.client.wire import DEFAULT_URL, AsyncConnection, Connection, Json, Told

_EVENTS = "/v1/events"


class Client(Connection, Operations):
    """A connection to one controller. Use as a context manager, or call `close`.

    Every method raises LifecycleError: the controller's own, or UNAVAILABLE if none answers.

    Args:
        url: the admin API, e.g. `http://127.0.0.1:8002`; a private CA goes into the `transport`.
        actor: written to the ledger as who did it, where identity is off.
        key: the API key's secret; the environment's HEADRACE_KEY if not given.
        override: why traffic is changed in spite of a freeze, as an admin may; goes into the ledger.
        timeout_s: for one answer; validate, deploy, promote and retrain wait longer.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        actor: str = "local",
        key: str | None = None,
        override: str = "",
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(
            url, actor=actor, key=key, override=override, timeout_s=timeout_s, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def events(self, model: str | None = None, *, after: int | None = None) -> Iterator[Json]:
        """New ledger records as they are written, without end; first those behind number `after`.

        Of one model, or of every model that the key is for.
        """
        for line in self.lines(_EVENTS, _wanted(model, after)):
            yield from _record(line)


class AsyncClient(AsyncConnection, Operations):
    """`Client` for an event loop: the same methods, awaited. Use as an async context manager."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        actor: str = "local",
        key: str | None = None,
        override: str = "",
        timeout_s: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        super().__init__(
            url, actor=actor, key=key, override=override, timeout_s=timeout_s, transport=transport
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def events(self, model: str | None = None, *, after: int | None = None) -> AsyncIterator[Json]:
        """As `Client.events`."""
        async for line in self.lines(_EVENTS, _wanted(model, after)):
            for record in _record(line):
                yield record


def _wanted(model: str | None, after: int | None) -> dict[str, str]:
    asked = {"model": model, "after": after}
    return {name: str(value) for name, value in asked.items() if value is not None}


def _record(line: str) -> Iterator[Json]:
    if line.startswith("data: "):
        yield cast(Json, json.loads(line.removeprefix("data: "), object_hook=Told))
