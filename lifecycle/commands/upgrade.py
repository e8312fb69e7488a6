"""A rolling upgrade: new workers and then a new controller take over, of the code that is installed now."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.config import GatewayConfig
from lifecycle.core.dedicated import Stayed
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Fleet, Store

TIMEOUT_S = 300.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Admission:
    """What a node needs to join: the address of the cluster's Ray, and the secret that it asks for."""

    address: str
    token: str


class Nodes(Protocol):
    """The nodes of a cluster, each with workers of its own. One that stands alone has an empty name."""

    def wanted(self) -> Mapping[str, int]:
        """How many workers each node that is there should have."""
        ...

    def renewed(self, node: str) -> GatewayConfig:
        """A node's settings, read anew over there. Raises LifecycleError if they are wrong. Blocks."""
        ...

    def roll(self, node: str, config: GatewayConfig) -> None:
        """Have Serve replace a node's workers, new ones first. Blocks, but does not wait for them."""
        ...

    def failure(self, node: str) -> str:
        """Why Serve has given that up, so that old workers serve on; empty while it has not. Blocks."""
        ...

    def admission(self) -> Admission:
        """Raises LifecycleError CONFLICT if this cluster takes no other node."""
        ...


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The workers that went and those that came, by name, and dedicated versions without new processes."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    seconds: float
    stayed: tuple[Stayed, ...]


class Upgrade:
    """One at a time, and in it one node after the other.

    Args:
        renew: replaces the processes of dedicated versions, waits for them, and tells of those that stay.
        check: raises LifecycleError INVALID if the installed code would not start. Blocks.
        restart: has this controller make way for a new one as soon as what it was asked is answered. What it
            must not forget is stored, so rollouts go on under its successor, and requests need neither.
    """

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        nodes: Nodes,
        renew: Callable[[], Awaitable[Sequence[Stayed]]],
        check: Callable[[], None],
        restart: Callable[[], None],
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._nodes = nodes
        self._renew = renew
        self._check = check
        self.restart = restart
        self._upgrading = asyncio.Lock()

    async def run(self, actor: str) -> Upgraded:
        """Returns when every old worker has left and as many new ones follow the table in force, and when
        dedicated versions run anew, but for those that `stayed`: their old processes serve on.

        Raises:
            LifecycleError: INVALID for settings that are wrong or code that does not start, CONFLICT while
                another upgrade runs, UNAVAILABLE if new processes do not start, or late: old ones then go on.
        """
        if self._upgrading.locked():
            raise LifecycleError(LifecycleCode.CONFLICT, "an upgrade is under way; wait for its end")
        async with self._upgrading:
            renewed = {
                node: await asyncio.to_thread(self._nodes.renewed, node) for node in self._nodes.wanted()
            }
            await asyncio.to_thread(self._check)
            started = asyncio.get_running_loop().time()
            before = self._names()
            self._store.commit(Entry(actor, "gateway.upgrade", "", {"workers": sorted(before)}))
            try:
                for node, config in renewed.items():
                    async with asyncio.timeout(TIMEOUT_S):
                        await self._roll(node, config)
                async with asyncio.timeout(TIMEOUT_S):
                    stayed = tuple(await self._renew())
            except TimeoutError:
                message = "not every process was replaced in time; see `headrace status` and the logs"
                raise LifecycleError(LifecycleCode.UNAVAILABLE, message) from None
            for model, version, reason in stayed:
                detail = {"version": version, "reason": reason}
                self._store.commit(Entry(actor, "gateway.upgrade.stayed", model, detail))
            seconds = asyncio.get_running_loop().time() - started
            return Upgraded(tuple(sorted(before)), tuple(sorted(self._names())), seconds, stayed)

    async def _roll(self, node: str, config: GatewayConfig) -> None:
        before = self._names(node)
        await asyncio.to_thread(self._nodes.roll, node, config)
        await self._replaced(node, before, config.workers)

    def _names(self, node: str | None = None) -> frozenset[str]:
        """Of live workers: a node's, or all."""
        workers = self._fleet.workers()
        return frozenset(report.worker for report in workers if node in (None, report.place.node))

    async def _replaced(self, node: str, before: frozenset[str], wanted: int) -> None:
        while True:
            now = self._names(node)
            new = not now & before and len(now) >= wanted
            if new and await self._fleet.confirmed(self._fleet.table.generation, 1.0):
                return
            if reason := await asyncio.to_thread(self._nodes.failure, node):
                raise LifecycleError(LifecycleCode.UNAVAILABLE, _given_up(node, reason))
            await asyncio.sleep(_POLL_S)


def _given_up(node: str, reason: str) -> str:
    workers = f"new workers of node {node}" if node else "new workers"
    return (
        f"{workers} do not stay up ({reason}); old ones serve on, but if one ends, no other follows. "
        "`headrace logs` or the logs of Ray Serve say more; mend it and run `headrace upgrade` again"
    )
