"""Reference profiles and reference data of versions, read from the artifacts they are stored as."""

from collections import OrderedDict
from collections.abc import Mapping

from gateway.core.profile import Profile
from gateway.core.types import Array
from lifecycle.adapters.reference import read_reference
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Artifacts, Store

MOST_KEPT = 200


class Profiles:
    """Keeps the profiles that were read last: a version's never changes."""

    def __init__(self, store: Store, artifacts: Artifacts) -> None:
        self._store = store
        self._artifacts = artifacts
        self._kept: OrderedDict[tuple[str, int], Profile | None] = OrderedDict()

    def of(self, model: str, number: int) -> Profile | None:
        """None for a version without a reference profile. Raises LifecycleError if its file is gone."""
        key = (model, number)
        if key not in self._kept:
            self._kept[key] = self._read(model, number)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _read(self, model: str, number: int) -> Profile | None:
        version = next((v for v in self._store.versions(model) if v.number == number), None)
        if version is None or not version.profile:
            return None
        return Profile.from_bytes(self._artifacts.fetch(version.profile, version.profile_digest).read_bytes())

    def reference(self, version: Version) -> tuple[Mapping[str, Array], Array | None]:
        """Input tensors [N, ...] by name, and labels [N] if there are any.

        Raises:
            LifecycleError: NOT_FOUND for a version that was registered without reference data.
        """
        if not version.reference:
            raise LifecycleError(
                LifecycleCode.NOT_FOUND,
                f"version {version.number} of {version.model!r} has no reference data; "
                "register it with --reference",
            )
        path = self._artifacts.fetch(version.reference, version.reference_digest)
        return read_reference(path, version.signature)
