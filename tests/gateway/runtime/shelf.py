"""A loader that notes what happens, for tests of what is in memory."""

import asyncio
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.batching import Batching
from gateway.core.placement import Device, Placed, Placement
from gateway.core.routing import VersionEntry
from gateway.core.signature import Signature
from gateway.core.types import Array
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import LoadedVersion


def entry(version: int, digest: str = "") -> VersionEntry:
    return VersionEntry(version, "", digest or f"digest {version}", Signature((), ()))


@dataclass(eq=False)
class Held:
    """A version of which somebody may say that it runs."""

    entry: VersionEntry
    size_bytes: int
    running: int = 0
    batching: Batching = Batching.OFF
    device: Device = Device.CPU
    placed = Placed(Placement.POOL, 1e6)

    @property
    def signature(self) -> Signature:
        return self.entry.signature

    async def run(
        self, inputs: Mapping[str, Array], outputs: tuple[str, ...], deadline_ns: int
    ) -> dict[str, Array]:
        return {}


@dataclass
class Shelf:
    """Refuses versions whose digest is `broken`, fails at `huge`. While `gate` is closed, no load ends."""

    size_bytes: int = 10
    story: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    given: "weakref.WeakSet[Held]" = field(default_factory=weakref.WeakSet)

    def __post_init__(self) -> None:
        self.gate.set()

    async def load(self, model: str, entry: VersionEntry) -> LoadedVersion:
        self.story.append(f"load {entry.version}")
        await self.gate.wait()
        if entry.digest == "broken":
            raise GatewayError(ErrorCode.INTERNAL, "it is broken")
        if entry.digest == "huge":
            raise MemoryError("65536 GiB")
        version = Held(entry, self.size_bytes)
        self.given.add(version)
        return version

    @property
    def alive(self) -> int:
        """Versions that were loaded and that somebody still has."""
        return len(self.given)

    def unload(self, model: str, version: LoadedVersion) -> None:
        self.story.append(f"unload {version.entry.version}")

    def swapped(self, generation: int) -> None:
        self.story.append(f"swap {generation}")
