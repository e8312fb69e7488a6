"""Brings versions into memory, warmed and measured, without holding up the event loop."""

import asyncio
import contextlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from gateway import ports
from gateway.config import Serving
from gateway.core.batching import Batching
from gateway.core.placement import Device, Placement
from gateway.core.profile import Profile
from gateway.core.routing import VersionEntry, alike
from gateway.core.types import Array, VersionKey
from gateway.errors import ErrorCode, GatewayError
from gateway.runtime.artifact import ArtifactCache
from gateway.runtime.even import EVEN_ROWS
from gateway.runtime.measured import Measured
from gateway.runtime.memory import allocated_bytes
from gateway.runtime.pool import Pool
from gateway.runtime.session import Session
from gateway.runtime.signature import loops
from gateway.runtime.stages import StageLog
from gateway.runtime.version import OnnxVersion
from gateway.runtime.warmup import Runner, Warmth, dear_to_vary, warm, warm_again

_RETIRED_PROFILES = 256
_MOST_KNOWN = 10_000


class Loader:
    """Implements `ports.Loader`.

    Args:
        cache: directory of artifacts by digest; processes may share it.
        dedicated: finds versions that run elsewhere; without it they run here.
        gpu: whether there is one to run on.
        stages: where runs are noted, with those that `dedicated` hears of.
    """

    def __init__(
        self,
        cache: Path,
        serving: Serving,
        *,
        dedicated: ports.Loader | None = None,
        gpu: bool = False,
        stages: StageLog | None = None,
    ) -> None:
        self._artifacts = ArtifactCache(cache)
        self._dedicated = dedicated
        self._serving = serving
        self._gpu = gpu
        self._pool = Pool(serving.threads, serving.queue, serving.max_run_s)
        self.stages = StageLog() if stages is None else stages
        # One at a time: a load takes a core, and what is being served needs the rest.
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="headrace-load")
        self._known: dict[str, Warmth] = {}  # by digest: a version that is loaded again is as it was
        self._measured = Measured(cache, f"{serving.threads_per_run} threads, gpu {gpu}")
        self._profiles: dict[VersionKey, Profile] = {}
        self._loaded: dict[VersionKey, ports.LoadedVersion] = {}
        self._retired: OrderedDict[VersionKey, Profile] = OrderedDict()

    @property
    def wedged(self) -> int:
        """Runs that were ended because they took too long, since the start."""
        return self._pool.wedged + self.stages.wedged_elsewhere

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
        if isinstance(version, ports.Bindable):
            version.plans.clear()  # whoever keeps the dictionary keeps nothing of the version
        key = (model, version.entry.version)
        if self._loaded.get(key) is version:
            del self._loaded[key]
            if (profile := self._profiles.pop(key, None)) is not None:
                self._retired[key] = profile
        while len(self._retired) > _RETIRED_PROFILES:
            self._retired.popitem(last=False)
        if self._dedicated is not None:
            self._dedicated.unload(model, version)
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

        warmth = self._warm(session, run, entry, model)
        # Other threads allocate meanwhile too; less than its file no version takes.
        size_bytes = max(allocated_bytes() - before, len(model))
        return OnnxVersion(
            entry,
            session,
            self._pool,
            warmth=warmth,
            size_bytes=size_bytes,
            serving=self._serving,
            note=self.stages.of((name, entry.version)),
        )

    def _warm(self, session: Session, run: Runner, entry: VersionEntry, model: bytes) -> Warmth:
        known = self._known.get(entry.digest) or self._measured.of(entry.digest)
        if known is not None:
            session.rows = known.rows
            warm_again(run, entry.signature)
            return self._know(entry.digest, known)
        try:
            unbounded = loops(model)
        except ValueError as error:
            raise GatewayError(ErrorCode.INTERNAL, str(error)) from None
        found = warm(run, entry.signature, unbounded)
        varies = session.device is Device.GPU and found.batching is not Batching.OFF
        if varies and dear_to_vary(run, entry.signature, EVEN_ROWS):
            session.rows = EVEN_ROWS
            found = replace(warm(run, entry.signature, unbounded), rows=EVEN_ROWS)
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


def _free(_: ports.LoadedVersion) -> None:
    """Its last reference goes with this call, in the thread that makes it."""
