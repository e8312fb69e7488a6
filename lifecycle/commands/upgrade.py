"""A rolling upgrade: new workers and then a new controller take over, of the code that is installed now."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.config import GatewayConfig
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Fleet, Store

TIMEOUT_S = 300.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The workers that went and those that came, by name."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    seconds: float


class Upgrade:
    """One at a time.

    Args:
        renewed: the settings that new workers start with; raises LifecycleError INVALID if they are wrong.
        roll: has Serve replace every worker, new ones first. Blocks, but does not wait for them.
        renew: does the same with the processes of dedicated versions, and waits for them.
        check: raises LifecycleError INVALID if the installed code would not start. Blocks.
        restart: has this controller make way for a new one as soon as what it was asked is answered. What it
            must not forget is stored, so rollouts go on under its successor, and requests need neither.
    """

    def __init__(
        self,
        store: Store,
        fleet: Fleet,
        renewed: Callable[[], GatewayConfig],
        roll: Callable[[GatewayConfig], None],
        renew: Callable[[], Awaitable[None]],
        check: Callable[[], None],
        restart: Callable[[], None],
    ) -> None:
        self._store = store
        self._fleet = fleet
        self._renewed = renewed
        self._roll = roll
        self._renew = renew
        self._check = check
        self.restart = restart
        self._upgrading = asyncio.Lock()

    async def run(self, actor: str) -> Upgraded:
        """Returns when every old worker has left and as many new ones follow the table in force, and when
        dedicated versions run anew.

        Raises:
            LifecycleError: INVALID for settings that are wrong or code that does not start, CONFLICT while
                another upgrade runs, UNAVAILABLE if new processes do not start in time: old ones then go on.
        """
        if self._upgrading.locked():
            raise LifecycleError(LifecycleCode.CONFLICT, "an upgrade is under way; wait for its end")
        async with self._upgrading:
            config = self._renewed()
            await asyncio.to_thread(self._check)
            started = asyncio.get_running_loop().time()
            before = self._names()
            self._store.commit(Entry(actor, "gateway.upgrade", "", {"workers": sorted(before)}))
            await asyncio.to_thread(self._roll, config)
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    await self._replaced(before, config.workers)
                    await self._renew()
            except TimeoutError:
                message = "not every process was replaced in time; see `headrace status` and the logs"
                raise LifecycleError(LifecycleCode.UNAVAILABLE, message) from None
            seconds = asyncio.get_running_loop().time() - started
            return Upgraded(tuple(sorted(before)), tuple(sorted(self._names())), seconds)

    def _names(self) -> frozenset[str]:
        return frozenset(report.worker for report in self._fleet.workers())

    async def _replaced(self, before: frozenset[str], wanted: int) -> None:
        while True:
            now = self._names()
            new = not now & before and len(now) >= wanted
            if new and await self._fleet.confirmed(self._fleet.table.generation, 1.0):
                return
            await asyncio.sleep(_POLL_S)
