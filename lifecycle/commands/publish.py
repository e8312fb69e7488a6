"""Turns the stored state of all models into the route table that workers pull.

What is stored is the truth: a table can always be built again, so publishing is safe to repeat.
"""

import asyncio
import contextlib
from collections.abc import Mapping

from gateway.core.keys import Key, Keyring
from gateway.core.routing import ModelRoute, RouteTable
from lifecycle.commands.lookup import find_model, find_versions
from lifecycle.core.dedicated import named
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Fleet, Store


class Publisher:
    """`stale` is set while the workers' table may be older than the store, as it is at the start.

    `running` names the applications whose start is over; of dedicated versions, a table names no others.
    """

    def __init__(self, store: Store, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet
        self._routes: dict[str, tuple[int, ModelRoute]] = {}
        self._published = asyncio.Event()
        self.stale = True
        self.running: frozenset[str] = frozenset()

    def wanted(self) -> list[ModelRoute]:
        """The routes that the stored state asks for, as of the last `publish`."""
        return [route for _, route in self._routes.values()]

    async def settled(self, model: str, timeout_s: float) -> bool:
        """Whether in time a table says of a model what is stored: none of its versions waits to be named."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not self._says(model):
                    await self._published.wait()
        return self._says(model)

    def _says(self, model: str) -> bool:
        return self._fleet.table.models.get(model) == self._routes[model][1]

    def behind(self) -> bool:
        """Whether a table made now would be another, because an application runs by now."""
        table = self._fleet.table.models
        return any(self._named(route) != table.get(route.name) for route in self.wanted())

    def publish(self) -> RouteTable:
        """Make the stored state of every model the table in force."""
        self._routes = {model.name: self._route(model) for model in self._store.models()}
        routes = {route.name: self._named(route) for route in self.wanted()}
        return self._put(routes, Keyring(tuple(key for key in self._store.api_keys() if not key.revoked_at)))

    def _put(self, routes: Mapping[str, ModelRoute], keys: Keyring) -> RouteTable:
        table = RouteTable(self._store.next_generation(), routes, keys)
        self._fleet.publish(table)
        self.stale = False
        self._published.set()
        self._published = asyncio.Event()
        return table

    def commit(self, entry: Entry, *values: Model | Version | Rollout | Key) -> RouteTable:
        """Write a change of a model, or of keys, with its ledger record, and only then make workers pull it.

        Of other models nothing is read, however many there are. If anything fails in between, `stale` stays
        set and the next `publish` makes up for it.
        """
        behind = self.stale
        try:
            self._store.commit(entry, *values)
        except LifecycleError as error:
            # A registry that fails may have written it all the same: its answer was what got lost.
            self.stale = behind or error.code is LifecycleCode.UNAVAILABLE
            raise
        self.stale = True
        if behind or not entry.model:
            return self.publish()
        model = find_model(self._store, entry.model)
        self._routes[model.name] = self._route(model)
        table = self._fleet.table
        route = self._named(self._routes[model.name][1])
        return self._put({**table.models, model.name: route}, table.keys)

    def _route(self, model: Model) -> tuple[int, ModelRoute]:
        # A revision never changes what it says, so only changed models are read again.
        revision, route = self._routes.get(model.name, (0, None))
        if route is None or revision != model.revision:
            route = model.route(find_versions(self._store, model.name))
        return model.revision, route

    def _named(self, route: ModelRoute) -> ModelRoute:
        return named(route, self._fleet.table.models.get(route.name), self.running)
