"""Which stored files are still needed. In doubt one is: a file that is gone cannot be brought back."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.core.types import VersionKey
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.stages import Stage
from lifecycle.core.version import Model, Version

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the artifact store. `size` is in bytes; `at`, Unix seconds, when it was last stored."""

    digest: str
    size: int
    at: float


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long files are kept, in seconds.

    Args:
        retired_s: those of a retired version, from its retirement on.
        unreferenced_s: those that nothing refers to; long enough for any registration under way.
    """

    retired_s: float
    unreferenced_s: float


def needed(
    models: Iterable[Model],
    versions: Iterable[Version],
    rollouts: Iterable[Rollout],
    retention: Retention,
    now: float,
) -> set[str]:
    """Digests of all files that must stay.

    A digest that stands anywhere in a model, a rollout or a version that is kept is needed, whatever it is
    of. Of versions whose time is over, only the reference data stays that a kept version descends from: its
    rows are learnt from and held out again.
    """
    by_name = {model.name: model for model in models}
    all_versions = {(version.model, version.number): version for version in versions}
    active = tuple(rollouts)
    used = {(one.model, number) for one in active for number in (one.version, one.champion, one.previous)}
    used |= {(name, number) for name, model in by_name.items() for number in _named(model)}
    kept = [
        version
        for place, version in all_versions.items()
        if place in used or not _over(version, retention, now)
    ]
    bodies = [[one.as_json() for one in group] for group in (by_name.values(), active, kept)]
    found = set(_digests(bodies))
    for version in kept:
        found |= {parent.reference_digest for parent in _ancestors(version, all_versions)}
    return found


def removable(
    stored: Iterable[StoredFile], needed: set[str], retention: Retention, now: float
) -> tuple[StoredFile, ...]:
    """Files that nothing needs and that were not stored lately."""
    return tuple(
        file for file in stored if file.digest not in needed and now - file.at >= retention.unreferenced_s
    )


def _over(version: Version, retention: Retention, now: float) -> bool:
    # A version that was retired before its time was noted is kept.
    return version.stage is Stage.RETIRED and 0 < version.retired_at <= now - retention.retired_s


def _named(model: Model) -> set[int]:
    return model.loaded() | {model.champion, model.previous} | set(model.aliases.values())


def _ancestors(version: Version, versions: Mapping[VersionKey, Version]) -> Iterator[Version]:
    seen = {version.number}
    parent = version.lineage.parent
    while parent is not None and parent not in seen and (found := versions.get((version.model, parent))):
        yield found
        seen.add(parent)
        parent = found.lineage.parent


def _digests(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _DIGEST.findall(value)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _digests(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _digests(part)
