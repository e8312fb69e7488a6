"""Which version answers: the route table and the pure choice from it.

A table is never edited. A change is a new table with a higher generation, and one reference is swapped.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.core.alias import aliases
from gateway.core.keys import NO_KEYS, Keyring
from gateway.core.limits import UNLIMITED, ModelLimits
from gateway.core.placement import Placement
from gateway.core.ranges import OutputRange, judge
from gateway.core.signature import Signature
from gateway.core.types import Role, Tensors
from gateway.core.words import listed, or_rather, quoted
from gateway.errors import ErrorCode, GatewayError

GOLDEN_RATIO = 0.6180339887498949
_MISNAMED = 256


class Choice(NamedTuple):
    """The version that answers a request, and as what."""

    version: int
    role: Role


@dataclass(frozen=True, slots=True)
class VersionEntry:
    """A version that workers serve, or keep warm for it.

    `artifact` and `profile` are URIs; bytes read from them must hash to the digest (`sha256:<hex>`).
    A version without a reference profile has `profile` and `profile_digest` empty. `ranges` are those of its
    outputs; `invalid` says of an answer whether it breaks them, or holds NaN or infinity.
    """

    version: int
    artifact: str
    digest: str
    signature: Signature
    profile: str = ""
    profile_digest: str = ""
    placement: Placement = Placement.AUTO
    ranges: tuple[OutputRange, ...] = ()
    invalid: Callable[[Tensors], bool] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "invalid", judge(self.ranges, self.signature))

    def as_json(self) -> dict[str, Any]:
        fields = ("version", "artifact", "digest", "profile", "profile_digest", "placement")
        return {name: getattr(self, name) for name in fields} | {
            "signature": self.signature.as_json(),
            "ranges": [str(declared) for declared in self.ranges],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "VersionEntry":
        signature, placement = Signature.from_json(data["signature"]), Placement(data["placement"])
        ranges = tuple(map(OutputRange.parse, data.get("ranges", ())))  # copies saved before had none
        return cls(**{**data, "signature": signature, "placement": placement, "ranges": ranges})


def alike(one: VersionEntry, other: VersionEntry) -> bool:
    """Whether both are the same file in the same place: what is in memory for one does for the other."""
    return (one.digest, one.placement) == (other.digest, other.placement)


@dataclass(frozen=True, slots=True)
class ModelRoute:
    """One model's versions and how live traffic is shared among them.

    Args:
        versions: all that workers may be asked for, routed or not (a version warms before it is routed,
            and stays hot through its bake time after).
        held: versions that are to be in every worker's memory, for a rollout or to get traffic soon.
        resident: whether all versions stay in memory, whatever the budget; else they load by demand.
        cache_mb: MiB of answers that each worker keeps for requests that come again; 0: none.
        aliases: the names that people gave to versions, be they among `versions` or not.
        champion: the default version; 0 while the model has no traffic.
        weights: percent of live traffic by version, summing to 100; empty while there is no champion.
        shadows: versions that get a copy of every request, their answers discarded.
    """

    name: str
    versions: tuple[VersionEntry, ...]
    champion: int = 0
    weights: tuple[tuple[int, float], ...] = ()
    shadows: tuple[int, ...] = ()
    limits: ModelLimits = UNLIMITED
    held: tuple[int, ...] = ()
    resident: bool = False
    cache_mb: int = 0
    aliases: tuple[tuple[str, int], ...] = ()
    _steps: tuple[tuple[float, Choice], ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        held = {entry.version for entry in self.versions}
        named = [version for version, _ in self.weights]
        if len(held) != len(self.versions) or len(set(named)) != len(named):
            raise ValueError(f"model {self.name!r}: a version is named twice")
        if self.champion and self.champion not in named:
            raise ValueError(f"model {self.name!r}: champion {self.champion} has no weight")
        if bool(self.champion) != bool(self.weights):
            raise ValueError(f"model {self.name!r}: weights need a champion and a champion needs weights")
        if unheld := {*named, *self.shadows, *self.held} - held:
            raise ValueError(f"model {self.name!r}: version {min(unheld)} is used but not among its versions")
        if any(not 0 <= weight <= 100 for _, weight in self.weights):
            raise ValueError(f"model {self.name!r}: a weight is not within 0 and 100")
        if self.weights and abs(sum(weight for _, weight in self.weights) - 100) > 1e-6:
            raise ValueError(f"model {self.name!r}: weights do not sum to 100")
        object.__setattr__(self, "_steps", tuple(self._cumulate()))

    def _cumulate(self) -> list[tuple[float, Choice]]:
        # Canaries own the low end of [0, 1): a key once on a canary stays there as its weight grows.
        steps, upper = [], 0.0
        for version, weight in sorted(self.weights, key=lambda pair: (pair[0] == self.champion, pair[0])):
            upper += weight / 100
            role = Role.CHAMPION if version == self.champion else Role.CANARY
            steps.append((upper, Choice(version, role)))
        return steps

    def drawn(self, point: float) -> Choice:
        """The version that has this point of [0, 1). Raises GatewayError NOT_READY without a champion."""
        for upper, choice in self._steps:
            if point < upper:
                return choice
        if self._steps:  # rounding of the last upper bound
            return self._steps[-1][1]
        raise GatewayError(ErrorCode.NOT_READY, f"model {self.name!r} has no version with traffic")

    def entry(self, version: int) -> VersionEntry | None:
        for entry in self.versions:
            if entry.version == version:
                return entry
        return None

    def entry_of(self, version: int) -> VersionEntry:
        """That of a version that was asked for. Raises GatewayError NOT_FOUND, naming those there are."""
        entry = self.entry(version)
        if entry is None:
            there = listed([entry.version for entry in self.versions]) or "none"
            message = f"model {self.name!r} has no version {version} loaded; there is {there}"
            raise GatewayError(ErrorCode.NOT_FOUND, message)
        return entry

    def called(self, alias: str) -> int:
        """The version that an alias stands for now. Raises GatewayError NOT_FOUND, naming those there are."""
        names = aliases(dict(self.aliases), self.champion, self.weights)
        if alias not in names:
            known = listed(sorted(names)) or "none"
            message = f"model {self.name!r} has no version called {alias!r}; there is {known}"
            raise GatewayError(ErrorCode.NOT_FOUND, message)
        return names[alias]

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "versions": [entry.as_json() for entry in self.versions],
            "champion": self.champion,
            "weights": [list(pair) for pair in self.weights],
            "shadows": list(self.shadows),
            "limits": self.limits.as_json(),
            "held": list(self.held),
            "resident": self.resident,
            "cache_mb": self.cache_mb,
            "aliases": [list(pair) for pair in self.aliases],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ModelRoute":
        return cls(
            data["name"],
            tuple(VersionEntry.from_json(entry) for entry in data["versions"]),
            data["champion"],
            tuple((version, weight) for version, weight in data["weights"]),
            tuple(data["shadows"]),
            ModelLimits.from_json(data["limits"]),
            tuple(data["held"]),
            data["resident"],
            data["cache_mb"],
            tuple((name, version) for name, version in data.get("aliases", ())),  # copies once had none
        )


@dataclass(frozen=True, slots=True)
class RouteTable:
    """An immutable snapshot of every model's routing; `generation` only ever grows.

    `keys` are those that may be used where identity is on.
    """

    generation: int
    models: Mapping[str, ModelRoute]
    keys: Keyring = NO_KEYS
    _misnamed: dict[str, str] = field(init=False, compare=False, repr=False, default_factory=dict)

    def unknown(self, model: str) -> GatewayError:
        """The refusal of a name that no model has, with the one that was meant unless keys hide some."""
        hint = self._misnamed.get(model)
        if hint is None:
            # A client that was set up wrongly asks again and again: it is told what was found the first time.
            hint = "" if self.keys.keys else or_rather(model, self.models)
            if len(self._misnamed) < _MISNAMED:
                self._misnamed[model] = hint
        return GatewayError(ErrorCode.NOT_FOUND, f"no model named {quoted(model)} is served here{hint}")


EMPTY = RouteTable(0, {})


def choose(route: ModelRoute, pinned: int | str | None, key: str, draw: float) -> Choice:
    """The version that answers a request.

    Args:
        pinned: a version the caller asked for by number or alias; it bypasses the weights.
        key: routing key; the same key always lands on the same point of [0, 1). Empty for none.
        draw: a point of [0, 1) for a request without a key.

    Raises:
        GatewayError: NOT_FOUND for a pinned version that is not loaded or an alias that stands for none,
            NOT_READY without a champion.
    """
    if pinned is not None:
        if isinstance(pinned, str):
            pinned = route.called(pinned)
        route.entry_of(pinned)
        return Choice(pinned, Role.PINNED)
    return route.drawn(key_point(route.name, key) if key else draw)


def key_point(model: str, key: str) -> float:
    """Where in [0, 1) a routing key lands: BLAKE2b-64 of the key, keyed by the model's name.

    The function is part of the public contract: it must never change between releases, or every
    sticky caller would move.
    """
    salt = model.encode()[:64]
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, key=salt).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


class Draws:
    """Points for requests without a key: the golden-ratio (Kronecker) sequence.

    Low discrepancy makes shares exact at small counts: n draws miss any share by O(log n / n).
    One per model and worker, so that no model's traffic pattern can alias with another's.
    """

    __slots__ = ("_before", "_point")

    def __init__(self, start: float) -> None:
        self._before = self._point = start % 1.0

    def __call__(self) -> float:
        self._before = self._point
        self._point = (self._before + GOLDEN_RATIO) % 1.0
        return self._point

    def undo(self) -> None:
        """Have the next call give the last one's point again."""
        self._point = self._before
