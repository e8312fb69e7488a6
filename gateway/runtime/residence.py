"""The versions in memory: loaded one at a time, within a budget, the longest unused out.

Never lets go of one that a request uses or waits for, nor of one that is to stay. Lives in the event loop,
which no load ever holds up.
"""

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from gateway.core.eviction import to_evict
from gateway.core.placement import Placed, Placement
from gateway.core.report import MemoryUse
from gateway.core.routing import VersionEntry, alike
from gateway.core.types import VersionKey
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import LoadedVersion, Loader
from gateway.runtime.failures import Failures, NoRoom, not_ready

log = logging.getLogger(__name__)

_TRY_AGAIN_S = 5.0
"""Requests do not try a version again for so long after it broke."""

_LOOK_AGAIN_S = 0.005

Loading = tuple[str, VersionEntry]


class Residence:
    """Holds versions for whoever names them; knows nothing of routes.

    Args:
        budget_bytes: what all versions together may take, as measured.
        most_waiting: requests that may wait for loads; more are refused at once.
        max_wait_s: how long one of them waits at most.
    """

    def __init__(self, loader: Loader, budget_bytes: int, most_waiting: int, max_wait_s: float) -> None:
        self._loader = loader
        self._most_waiting = most_waiting
        self._max_wait_s = max_wait_s
        self._versions: OrderedDict[VersionKey, LoadedVersion] = OrderedDict()  # the longest unused first
        self._placements: Counter[Placement] = Counter()
        self._sizes: dict[VersionKey, int] = {}  # as measured at the last load
        self._loads: dict[Loading, asyncio.Task[LoadedVersion]] = {}
        self._gone: set[Loading] = set()
        """Those of what was let go of since they began."""
        self._wanted: Counter[VersionKey] = Counter()
        self._turn = asyncio.Lock()
        self.failures = Failures()
        """Of versions when their load was last tried."""
        self.lost = Failures()
        """Of versions that are placed elsewhere and cannot run there now."""
        self.kept: set[VersionKey] = set()
        """Versions that stay in memory, whatever the budget."""
        self.budget_bytes = budget_bytes
        self.held_bytes = 0
        self.loads = 0
        self.evictions = 0

    @property
    def use(self) -> MemoryUse:
        return MemoryUse(+self._placements, self.held_bytes, self.budget_bytes, self.loads, self.evictions)

    @property
    def placed(self) -> dict[VersionKey, Placed]:
        """Where each version runs. Takes time in proportion to them: call it from a thread."""
        # Copied first, in one step: the loop goes on changing it.
        return {key: version.placed for key, version in self._versions.copy().items()}

    def get(self, key: VersionKey) -> LoadedVersion | None:
        """The version, which counts as used now."""
        version = self._versions.get(key)
        if version is not None:
            self._versions.move_to_end(key)  # 0.1 µs
        return version

    def has(self, key: VersionKey) -> bool:
        return key in self._versions

    def holds(self, model: str, entry: VersionEntry) -> bool:
        """Whether this very file is in memory, or wherever it is placed, with this profile."""
        version = self._versions.get((model, entry.version))
        return version is not None and _alike(version.entry, entry)

    def has_room(self, model: str, entry: VersionEntry) -> bool:
        """Whether it fits beside all that is held; one that was never loaded counts as an average one."""
        average = self.held_bytes // len(self._versions) if self._versions else 0
        return self.held_bytes + self._sizes.get((model, entry.version), average) <= self.budget_bytes

    async def bring(self, model: str, entry: VersionEntry) -> None:
        """Have a version in memory, however long it takes; others go for it if they must.

        Raises GatewayError NOT_READY if there is no room, or what the load raises.
        """
        with self._wanting((model, entry.version)):
            await asyncio.shield(self._load(model, entry))

    async def wait_for(self, model: str, entry: VersionEntry, deadline_ns: int) -> LoadedVersion:
        """The version, for a request: all that wait for it share one load. Raises as `Routes.load` does."""
        key = (model, entry.version)
        self.failures.check(key)
        if self._wanted.total() >= self._most_waiting:
            raise GatewayError(ErrorCode.NOT_READY, "too many requests wait for models to load; try again")
        left_s = (deadline_ns - time.monotonic_ns()) / 1e9 if deadline_ns else self._max_wait_s
        with self._wanting(key):
            load = self._load(model, entry)
            # It goes on for others when this request gives up.
            await asyncio.wait({load}, timeout=max(min(left_s, self._max_wait_s), 0.0))
            if load.done():
                try:
                    return load.result()
                except GatewayError as error:
                    raise not_ready(key, error.code, error.message) from None
        if left_s < self._max_wait_s:
            raise GatewayError(ErrorCode.DEADLINE, "the request's deadline passed while its model loaded")
        raise GatewayError(
            ErrorCode.NOT_READY, f"version {entry.version} of model {model!r} is still loading; try again"
        )

    def note_lost(self, key: VersionKey, error: GatewayError | None) -> None:
        """A version cannot run where it is placed; None: it can again."""
        if error:
            self.lost.note(key, error)
            log.error("version %d of %s cannot run: %s", key[1], key[0], error.message)
        else:
            self.lost.forget(key)
            log.warning("version %d of %s runs again", key[1], key[0])

    def let_go(self, keys: Collection[VersionKey]) -> None:
        """Forget versions that are not served any more. Runs under way finish; what loads will not stay."""
        self._gone |= {(model, entry) for model, entry in self._loads if (model, entry.version) in keys}
        for key in keys:
            self._drop(key)
            self.failures.forget(key)
            self._sizes.pop(key, None)

    async def close(self) -> None:
        for load in self._loads.values():
            load.cancel()
        await asyncio.gather(*self._loads.values(), return_exceptions=True)
        self.let_go(tuple(self._versions))

    @contextmanager
    def _wanting(self, key: VersionKey) -> Iterator[None]:
        self._wanted[key] += 1
        try:
            yield
        finally:
            self._wanted[key] -= 1
            if not self._wanted[key]:
                del self._wanted[key]

    def _load(self, model: str, entry: VersionEntry) -> "asyncio.Task[LoadedVersion]":
        self._gone.discard((model, entry))
        load = self._loads.get((model, entry))
        if load is None or load.done():
            load = asyncio.create_task(self._in_turn((model, entry.version), entry))
            self._loads[model, entry] = load
            load.add_done_callback(lambda done: self._over(model, entry, done))
        return load

    async def _in_turn(self, key: VersionKey, entry: VersionEntry) -> LoadedVersion:
        async with self._turn:
            if key not in self._wanted:
                raise GatewayError(ErrorCode.NOT_READY, "nobody waits for it any more")
            self._check_served(key, entry)
            await self._make_room(key, self._sizes.get(key, 0))
            version = await self._loaded(key, entry)
            self._sizes[key] = version.size_bytes
            try:
                await self._make_room(key, version.size_bytes)
                self._check_served(key, entry)
            except GatewayError:
                self._loader.unload(key[0], version)
                raise
            self._drop(key)  # an older one of the same number: until here it still answered
            self._versions[key] = version
            self._placements[version.placed.placement] += 1
            self.held_bytes += version.size_bytes
            self.loads += 1
            return version

    def _check_served(self, key: VersionKey, entry: VersionEntry) -> None:
        if (key[0], entry) in self._gone:
            self._sizes.pop(key, None)
            message = f"version {key[1]} of model {key[0]!r} is no longer served"
            raise GatewayError(ErrorCode.NOT_READY, message)

    async def _loaded(self, key: VersionKey, entry: VersionEntry) -> LoadedVersion:
        try:
            return await self._loader.load(key[0], entry)
        except GatewayError:
            raise
        except Exception:  # ours, or memory: one version fails, and the table is followed on
            log.exception("loading version %d of %s fails", key[1], key[0])
            raise GatewayError(
                ErrorCode.INTERNAL, "it failed while it loaded; the worker's log says why"
            ) from None

    def _over(self, model: str, entry: VersionEntry, load: "asyncio.Task[LoadedVersion]") -> None:
        key = (model, entry.version)
        if self._loads.get((model, entry)) is not load:
            return  # somebody has begun anew since, and what is noted of that is not for this one to undo
        del self._loads[model, entry]
        self.failures.forget(key)
        error = None if load.cancelled() else load.exception()
        if isinstance(error, GatewayError) and key in self._wanted and (model, entry) not in self._gone:
            broken = error.code is not ErrorCode.NOT_READY  # which may be over in a moment
            self.failures.note(key, error, _TRY_AGAIN_S * broken)
            log.error("version %d of %s does not load: %s", key[1], key[0], error.message)
        self._gone.discard((model, entry))

    async def _make_room(self, key: VersionKey, size: int) -> None:
        gives_up = time.monotonic() + self._max_wait_s
        while not self._evict(self._besides(key) + size - self.budget_bytes):
            others = self.kept - {key}
            stay = sum(held.size_bytes for other, held in self._versions.items() if other in others)
            hopeless = stay + size > self.budget_bytes
            if hopeless or key not in self._wanted or time.monotonic() >= gives_up:
                need, budget = size / 2**20, self.budget_bytes / 2**20
                raise NoRoom(
                    ErrorCode.NOT_READY,
                    f"version {key[1]} of model {key[0]!r} takes {need:.1f} MiB and finds no room: what is "
                    f"to stay, or in use, fills the memory budget of {budget:.0f} MiB",
                )
            await asyncio.sleep(_LOOK_AGAIN_S)  # what is in use now may be idle then

    def _besides(self, key: VersionKey) -> int:
        """Bytes held of others: what is in memory of the same number goes for its successor."""
        present = self._versions.get(key)
        return self.held_bytes - (present.size_bytes if present is not None else 0)

    def _evict(self, excess_bytes: int) -> bool:
        """Whether so much could be freed, or nothing had to be."""
        idle = (
            (key, version.size_bytes)
            for key, version in self._versions.items()
            if version.size_bytes and not version.running and key not in self._wanted and key not in self.kept
        )
        chosen = to_evict(idle, excess_bytes)
        for key in chosen or ():
            self._drop(key)
            self.evictions += 1
        return chosen is not None

    def _drop(self, key: VersionKey) -> None:
        version = self._versions.pop(key, None)
        if version is not None:
            self._placements[version.placed.placement] -= 1
            self.lost.forget(key)
            self.held_bytes -= version.size_bytes
            self._loader.unload(key[0], version)


def _alike(present: VersionEntry, wanted: VersionEntry) -> bool:
    return alike(present, wanted) and present.profile_digest == wanted.profile_digest
