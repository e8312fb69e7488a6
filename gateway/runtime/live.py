"""The route table in force in this process, and the versions in memory for it.

The order of a change never varies: load and warm, swap one reference, let go of what is left over.
"""

import asyncio
import logging
from collections.abc import Callable

from gateway.core.routing import EMPTY, ModelRoute, RouteTable, VersionEntry
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import LoadedVersion, Loader

log = logging.getLogger(__name__)

Key = tuple[str, int]


class LiveRoutes:
    """Implements `ports.Routes`.

    Args:
        on_swap: called with the new generation right before the new table takes effect.
    """

    def __init__(self, loader: Loader, on_swap: Callable[[int], None]) -> None:
        self._loader = loader
        self._on_swap = on_swap
        self._versions: dict[Key, LoadedVersion] = {}
        self._changing = asyncio.Lock()
        self.table: RouteTable = EMPTY
        self.failed: frozenset[Key] = frozenset()

    def loaded(self, model: str, version: int) -> LoadedVersion:
        try:
            return self._versions[model, version]
        except KeyError:
            raise GatewayError(
                ErrorCode.NOT_READY, f"version {version} of model {model!r} is still loading; try again"
            ) from None

    @property
    def held(self) -> frozenset[Key]:
        return frozenset(self._versions)

    async def apply(self, table: RouteTable) -> None:
        """Make `table` the one in force.

        A model with a version that has live traffic but cannot be loaded keeps its present route; the
        version is then named in `failed`.
        """
        async with self._changing:
            failed = await self._load(table)
            models = {name: self._routable(route) for name, route in table.models.items()}
            applied = RouteTable(table.generation, models, table.keys)
            self._on_swap(table.generation)
            self.table, self.failed = applied, failed
            await self._release(applied)

    async def _load(self, table: RouteTable) -> frozenset[Key]:
        failed = set()
        for route in table.models.values():
            for entry in route.versions:
                key = (route.name, entry.version)
                present = self._versions.get(key)
                if present is not None and _alike(present.entry, entry):
                    continue
                try:
                    self._versions[key] = await self._loader.load(route.name, entry)
                except GatewayError as error:
                    log.error("version %d of %s does not load: %s", entry.version, route.name, error)
                    failed.add(key)
        return frozenset(failed)

    def _routable(self, route: ModelRoute) -> ModelRoute:
        missing = [version for version, _ in route.weights if (route.name, version) not in self._versions]
        present = self.table.models.get(route.name)
        return present if missing and present is not None else route

    async def _release(self, table: RouteTable) -> None:
        wanted = {(route.name, entry.version) for route in table.models.values() for entry in route.versions}
        for key in set(self._versions) - wanted:
            await self._loader.unload(self._versions.pop(key))

    async def close(self) -> None:
        await self.apply(RouteTable(self.table.generation, {}))


def _alike(present: VersionEntry, wanted: VersionEntry) -> bool:
    return (present.digest, present.placement) == (wanted.digest, wanted.placement)
