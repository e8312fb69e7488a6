"""The route table in force in this process.

The order of a change never varies: load and warm what is new, swap one reference, let go of what is left
over. What finds no room in memory then is loaded when a request asks for it.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from gateway.core.delta import RouteDelta, advance, difference
from gateway.core.routing import EMPTY, ModelRoute, RouteTable, VersionEntry
from gateway.core.types import VersionKey
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import LoadedVersion
from gateway.runtime.residence import Residence


class LiveRoutes:
    """Implements `ports.Routes`.

    Args:
        on_swap: called with the new generation right before the new table takes effect.
    """

    def __init__(self, residence: Residence, on_swap: Callable[[int], None]) -> None:
        self._residence = residence
        self._on_swap = on_swap
        self._changing = asyncio.Lock()
        self._held_back: set[str] = set()
        self._unfilled: set[str] = set()
        self._to_hold: frozenset[VersionKey] = frozenset()
        self.given: RouteTable = EMPTY
        """The newest table as it came."""
        self.table: RouteTable = EMPTY
        """The table in force: a model whose new versions do not load is still as it was."""

    @property
    def failed(self) -> Mapping[VersionKey, str]:
        return self._residence.failures.reasons | self._residence.lost.reasons

    @property
    def no_room(self) -> frozenset[VersionKey]:
        """Of `failed`, those that found no room in memory."""
        return self._residence.failures.no_room | self._residence.lost.no_room

    @property
    def held(self) -> frozenset[VersionKey]:
        """Of the versions that are to be held, those in memory."""
        return frozenset(key for key in self._to_hold if self._residence.has(key))

    def loaded(self, model: str, version: int) -> LoadedVersion | None:
        return self._residence.get((model, version))

    async def load(self, model: str, version: int, deadline_ns: int) -> LoadedVersion:
        route = self.table.models.get(model)
        entry = route.entry(version) if route else None
        if entry is None:
            raise GatewayError(
                ErrorCode.NOT_READY, f"version {version} of model {model!r} is not loaded here"
            )
        return await self._residence.wait_for(model, entry, deadline_ns)

    async def apply(self, update: RouteTable | RouteDelta, within_s: float = math.inf) -> None:
        """Make the table that `update` is, or leads to, the one in force.

        A model with a version that has live traffic but cannot be loaded keeps its present route; the
        version is then named in `failed`.

        Args:
            within_s: load for so long at most, but for versions that are to stay in memory; see `fill`.

        Raises ValueError for a delta that does not start from the table given before.
        """
        async with self._changing:
            delta = update if isinstance(update, RouteDelta) else difference(self.given, update)
            given = advance(self.given, delta)
            changed = {*delta.models, *delta.gone, *self._held_back}
            routes = [route for name in changed if (route := given.models.get(name))]
            self._residence.kept |= {key for route in routes for key in _kept(route)}
            await self._load(routes, time.monotonic() + within_s)
            self._swap(given, changed)

    async def fill(self) -> None:
        """Load what `apply` had no time for, as long as there is room. Requests' own loads come between."""
        while self._unfilled:
            route = self.table.models.get(self._unfilled.pop())
            for entry in route.versions if route else ():
                # What a change of the route took away meanwhile nobody would let go of once more.
                if route and self.table.models.get(route.name) is route:
                    await self._load_optional(route.name, (entry,))

    async def _load(self, routes: Collection[ModelRoute], until: float) -> None:
        for route in routes:
            for entry in route.versions:
                if self._residence.holds(route.name, entry):
                    # What is wanted of this number now is in memory; another file or place was not.
                    self._residence.failures.forget((route.name, entry.version))
                    continue
                # An older entry of the number is in use: what replaces it must be there when it goes.
                stale = self._residence.get((route.name, entry.version)) is not None
                if stale or route.resident or entry.version in route.held:
                    await self._bring(route.name, entry)
        for route in routes:
            if time.monotonic() >= until:
                self._unfilled.add(route.name)
            else:
                await self._load_optional(route.name, route.versions)

    async def _load_optional(self, model: str, entries: Iterable[VersionEntry]) -> None:
        for entry in entries:
            if not self._residence.holds(model, entry) and self._residence.has_room(model, entry):
                await self._bring(model, entry)

    async def _bring(self, model: str, entry: VersionEntry) -> None:
        with contextlib.suppress(GatewayError):  # which `failed` then names
            await self._residence.bring(model, entry)

    def _swap(self, given: RouteTable, changed: Collection[str]) -> None:
        failed, models = self._residence.failures.reasons, dict(self.table.models)
        self._held_back.clear()
        before = {key for name in changed for table in (self.given, self.table) for key in _keys(table, name)}
        for name in changed:
            route = given.models.get(name)
            if route is None:
                models.pop(name, None)
            elif name in models and any((name, version) in failed for version, _ in route.weights):
                self._held_back.add(name)
            else:
                models[name] = route
        self._on_swap(given.generation)
        self.given, self.table = given, RouteTable(given.generation, models, given.keys)
        after = {key for name in changed for table in (self.given, self.table) for key in _keys(table, name)}
        self._residence.kept -= before
        self._residence.kept |= {key for name in changed if name in models for key in _kept(models[name])}
        self._residence.kept |= {key for name in self._held_back for key in _kept(given.models[name])}
        self._residence.let_go(before - after)
        held = [given.models[name] for name in changed if name in given.models]
        # Replaced, never changed: another thread may be reading it.
        self._to_hold = frozenset(
            [key for key in self._to_hold if key[0] not in changed]
            + [(route.name, version) for route in held for version in route.held]
        )

    async def close(self) -> None:
        await self.apply(RouteTable(self.table.generation, {}))
        await self._residence.close()


def _kept(route: ModelRoute) -> Iterator[VersionKey]:
    stay = [entry.version for entry in route.versions] if route.resident else route.held
    return ((route.name, version) for version in stay)


def _keys(table: RouteTable, name: str) -> Iterator[VersionKey]:
    route = table.models.get(name)
    return ((name, entry.version) for entry in (route.versions if route else ()))
