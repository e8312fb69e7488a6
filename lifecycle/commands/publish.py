"""Turns the stored state of all models into the route table that workers pull.

What is stored is the truth: a table can always be built again, so publishing is safe to repeat.
"""

from gateway.core.keys import Keyring
from gateway.core.routing import ModelRoute, RouteTable
from lifecycle.commands.lookup import find_versions
from lifecycle.core.rollout import Rollout
from lifecycle.core.version import Model, Version
from lifecycle.ports import Entry, Fleet, Store


class Publisher:
    """`stale` is set while the workers' table may be older than the store, as it is at the start."""

    def __init__(self, store: Store, fleet: Fleet) -> None:
        self._store = store
        self._fleet = fleet
        self._routes: dict[str, tuple[int, ModelRoute]] = {}
        self.stale = True

    def publish(self) -> RouteTable:
        """Make the stored state of every model the table in force."""
        routes = {model.name: self._route(model) for model in self._store.models()}
        keys = Keyring(tuple(key for key in self._store.api_keys() if not key.revoked_at))
        table = RouteTable(self._store.next_generation(), routes, keys)
        self._fleet.publish(table)
        self.stale = False
        return table

    def commit(self, entry: Entry, *values: Model | Version | Rollout) -> RouteTable:
        """Write a change with its ledger record, and only then make workers pull it.

        If anything fails in between, `stale` stays set and the next `publish` makes up for it.
        """
        self._store.commit(entry, *values)
        self.stale = True
        return self.publish()

    def _route(self, model: Model) -> ModelRoute:
        # A revision never changes what it says, so only changed models are read again.
        revision, route = self._routes.get(model.name, (0, None))
        if route is None or revision != model.revision:
            route = model.route(find_versions(self._store, model.name))
            self._routes[model.name] = model.revision, route
        return route
