"""Brings versions into memory, warmed and measured, without holding up the event loop."""

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from pathlib import Path

from onnxruntime import RunOptions

from gateway import ports
from gateway.config import Serving
from gateway.core.batching import Batching, permitted
from gateway.core.figures import Run
from gateway.core.placement import Placement
from gateway.core.profile import Profile
from gateway.core.routing import VersionEntry, alike
from gateway.core.signature import Signature
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.artifact import ArtifactCache
from gateway.runtime.batcher import Batcher
from gateway.runtime.measured import Measured
from gateway.runtime.memory import allocated_bytes
from gateway.runtime.placement import inline_elements
from gateway.runtime.pool import Pool, late
from gateway.runtime.session import Session
from gateway.runtime.signature import loops
from gateway.runtime.stages import Note, StageLog
from gateway.runtime.warmup import Run as WarmupRun
from gateway.runtime.warmup import Warmth, warm, warm_again

Key = tuple[str, int]

_RETIRED_PROFILES = 256
_MOST_KNOWN = 10_000


class OnnxVersion:
    """Implements `ports.LoadedVersion`."""

    def __init__(
        self,
        entry: VersionEntry,
        session: Session,
        pool: Pool,
        warmth: Warmth,
        size_bytes: int,
        serving: Serving,
        note: Note,
    ) -> None:
        self.entry = entry
        self.signature: Signature = entry.signature
        self.size_bytes = size_bytes
        self.cost = warmth.cost
        self._session = session
        self._pool = pool
        self._inline = inline_elements(entry.placement, warmth.cost)
        self._note = note
        self.batching = permitted(warmth.batching, serving.batching)
        self._batcher = None
        if self.batching is not Batching.OFF:
            self._batcher = Batcher(session, pool, warmth.cost, serving.max_batch_ms * 1e6, note)

    @property
    def running(self) -> int:
        return self._session.running  # of all that share it

    def renewed(self, entry: VersionEntry) -> "OnnxVersion":
        """The same in memory under another entry of the same file."""
        version = copy(self)
        version.entry = entry
        return version

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        elements = 0
        for array in inputs.values():
            elements += array.size
        if elements <= self._inline:
            if deadline_ns and time.monotonic_ns() >= deadline_ns:
                raise late()
            return self._session.run(inputs, outputs)
        self._session.running += 1
        try:
            if self._batcher is not None:
                return await self._batcher.run(inputs, outputs, deadline_ns)

            arrived_ns = time.monotonic_ns()

            def job(options: RunOptions) -> dict[str, Array]:
                started_ns = time.monotonic_ns()
                try:
                    return self._session.run(inputs, outputs, options)
                finally:
                    ended_ns = time.monotonic_ns()
                    self._note(Run((arrived_ns,), arrived_ns, started_ns, ended_ns, _rows(inputs)))

            return await self._pool.submit(job, deadline_ns, self._session)
        finally:
            self._session.running -= 1


class Loader:
    """Implements `ports.Loader`.

    Args:
        cache: directory of artifacts by digest; processes may share it.
        dedicated: finds versions that run elsewhere; without it they run here.
        gpu: whether there is one to run on.
    """

    def __init__(
        self, cache: Path, serving: Serving, *, dedicated: ports.Loader | None = None, gpu: bool = False
    ) -> None:
        self._artifacts = ArtifactCache(cache)
        self._dedicated = dedicated
        self._serving = serving
        self._gpu = gpu
        self._pool = Pool(serving.threads, serving.queue, serving.max_run_s)
        self.stages = StageLog()
        # One at a time: a load takes a core, and what is being served needs the rest.
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="headrace-load")
        self._known: dict[str, Warmth] = {}  # by digest: a version that is loaded again is as it was
        self._measured = Measured(cache, f"{serving.threads_per_run} threads, gpu {gpu}")
        self._profiles: dict[Key, Profile] = {}
        self._loaded: dict[Key, ports.LoadedVersion] = {}
        self._retired: OrderedDict[Key, Profile] = OrderedDict()

    @property
    def wedged(self) -> int:
        """Runs that were ended because they took too long, since the start."""
        return self._pool.wedged

    async def load(self, model: str, entry: VersionEntry) -> ports.LoadedVersion:
        loop = asyncio.get_running_loop()
        profile = await loop.run_in_executor(self._loading, self._profile, entry)
        key = (model, entry.version)
        present = self._loaded.get(key)
        version: ports.LoadedVersion
        if isinstance(present, OnnxVersion) and alike(present.entry, entry):
            version = present.renewed(entry)  # a version that is served has got a profile
        elif entry.placement is Placement.DEDICATED and self._dedicated is not None:
            version = await self._dedicated.load(model, entry)
        else:
            version = await loop.run_in_executor(self._loading, self._load, model, entry)
        self._loaded[key] = version
        self._profiles.pop(key, None)
        if profile is not None:
            self._profiles[key] = profile
        return version

    def unload(self, model: str, version: ports.LoadedVersion) -> None:
        """Forget a version. Runs under way finish: they hold the session, which is freed after them."""
        key = (model, version.entry.version)
        if self._loaded.get(key) is version:
            del self._loaded[key]
            if (profile := self._profiles.pop(key, None)) is not None:
                self._retired[key] = profile
        while len(self._retired) > _RETIRED_PROFILES:
            self._retired.popitem(last=False)
        with contextlib.suppress(RuntimeError):  # shut down; else freed there: a big one takes milliseconds
            self._loading.submit(_free, version)

    def profile(self, model: str, version: int) -> Profile | None:
        """The profile to count a version's traffic with; for a while also after it was unloaded, since
        its last traffic is summarised later."""
        return self._profiles.get((model, version)) or self._retired.get((model, version))

    async def close(self) -> None:
        await asyncio.to_thread(self._loading.shutdown, cancel_futures=True)
        await self._pool.close()

    def _load(self, name: str, entry: VersionEntry) -> OnnxVersion:
        model = self._artifacts.read(entry.artifact, entry.digest)
        before = allocated_bytes()
        session = Session(model, entry.signature, self._serving.threads_per_run, self._gpu)

        def run(inputs: dict[str, Array]) -> dict[str, Array]:
            return self._pool.run(partial(session.run, inputs, ()), 0)

        warmth = self._warm(run, entry, model)
        # Other threads allocate meanwhile too; less than its file no version takes.
        size_bytes = max(allocated_bytes() - before, len(model))
        note = self.stages.of((name, entry.version))
        return OnnxVersion(entry, session, self._pool, warmth, size_bytes, self._serving, note)

    def _warm(self, run: WarmupRun, entry: VersionEntry, model: bytes) -> Warmth:
        known = self._known.get(entry.digest) or self._measured.of(entry.digest)
        if known is not None:
            warm_again(run, entry.signature)
            return self._know(entry.digest, known)
        try:
            unbounded = loops(model)
        except ValueError as error:
            raise GatewayError(ErrorCode.INTERNAL, str(error)) from None
        found = warm(run, entry.signature, unbounded)
        return self._know(entry.digest, self._measured.add(entry.digest, found))

    def _know(self, digest: str, found: Warmth) -> Warmth:
        self._known[digest] = found
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return found

    def _profile(self, entry: VersionEntry) -> Profile | None:
        if not entry.profile:
            return None
        try:
            return Profile.from_bytes(self._artifacts.read(entry.profile, entry.profile_digest))
        except ValueError:
            raise GatewayError(ErrorCode.INTERNAL, "the reference profile cannot be read") from None


def _rows(inputs: Mapping[str, Array]) -> int:
    first = next(iter(inputs.values()))
    return len(first) if first.ndim else 1


def _free(_: ports.LoadedVersion) -> None:
    """Its last reference goes with this call, in the thread that makes it."""
