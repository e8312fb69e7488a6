"""Reference profiles and reference data of versions, read from the artifacts they are stored as."""

import logging
import time
from collections import OrderedDict
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.core.profile import Profile
from gateway.core.types import VersionKey
from lifecycle.adapters.reference import FLAGS, LABEL, read_reference
from lifecycle.core.analysis.bins import common_bins
from lifecycle.core.rollouts.absorb import Bins
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Artifacts, Store
from lifecycle.tensors import to_column

log = logging.getLogger(__name__)

MOST_KEPT = 200
AGAIN_S = 5.0
"""When a store that did not give a profile is asked again."""


class Profiles:
    """Keeps the profiles that were read last: a version's never changes once it has one."""

    def __init__(self, store: Store, artifacts: Artifacts) -> None:
        self._store = store
        self._artifacts = artifacts
        self._kept: OrderedDict[VersionKey, Profile | None] = OrderedDict()
        self._fetching: dict[str, Thread] = {}

    def of(self, model: str, number: int) -> Profile | None:
        """None for a version without a reference profile. Waits for no store.

        Raises:
            LifecycleError: UNAVAILABLE until its file is on this machine, which is seen to; as
                `Artifacts.fetch` does if it is not what was stored.
        """
        key = (model, number)
        if key not in self._kept:
            self._kept[key] = self._read(model, number)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    def forget(self, model: str, number: int) -> None:
        """The version has got a profile."""
        self._kept.pop((model, number), None)

    def _read(self, model: str, number: int) -> Profile | None:
        version = next((v for v in self._store.versions(model) if v.number == number), None)
        if version is None or not version.profile:
            return None
        if not self._artifacts.held(version.profile_digest):
            self._bring(version.profile, version.profile_digest)
            message = f"the profile of version {number} of {model!r} is not here yet"
            raise LifecycleError(LifecycleCode.UNAVAILABLE, message)
        return Profile.from_bytes(self._artifacts.fetch(version.profile, version.profile_digest).read_bytes())

    def _bring(self, uri: str, digest: str) -> None:
        """Fetch it beside who asks, as the control loop does: a store may take minutes, or be away."""
        self._fetching = {each: thread for each, thread in self._fetching.items() if thread.is_alive()}
        if digest not in self._fetching:
            self._fetching[digest] = Thread(target=self._fetch, args=(uri, digest), daemon=True)
            self._fetching[digest].start()

    def _fetch(self, uri: str, digest: str) -> None:
        try:
            self._artifacts.fetch(uri, digest)
        except LifecycleError as error:
            log.warning("a reference profile: %s", error)
            time.sleep(AGAIN_S)

    def bins(self, rollout: Rollout) -> Bins | None:
        """How the outputs of a rollout's two versions compare; None if one of them has no profile."""
        champion, version = (self.of(rollout.model, number) for number in (rollout.champion, rollout.version))
        return common_bins(champion, version) if champion and version else None

    def reference(self, version: Version) -> pa.Table:
        """Rows as `inputs.<tensor>`, `label` if they have one, `row_id`, `holdout` and `recent`.

        `row_id` is a row's name wherever it turns up, a place in the file unless the file gives one.
        `holdout` says whether the version was kept from the row, `recent` whether that is of the time it
        was trained for; null if the file does not say.

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
        inputs, labels, *_ = read_reference(path, version.signature)
        columns: dict[str, pa.Array[Any]] = {
            f"inputs.{name}": to_column([array]) for name, array in inputs.items()
        }
        if labels is not None:
            columns[LABEL] = pa.array(labels)
        places = pa.array(
            [f"{version.reference_digest}/{i}" for i in range(len(next(iter(inputs.values()))))]
        )
        table = pa.table(columns)
        table = table.append_column("row_id", _column(path, "row_id", pa.string()) or places)
        unsaid = pa.nulls(table.num_rows, pa.bool_())
        for flag in FLAGS:
            table = table.append_column(flag, _column(path, flag, pa.bool_()) or unsaid)
        return table


def _column(path: Path, name: str, kind: pa.DataType) -> "pa.ChunkedArray[Any] | None":
    """A column of a Parquet file, if it has one of this name and type."""
    schema = pq.read_schema(path)
    if name not in schema.names or schema.field(name).type != kind:
        return None
    return pq.read_table(path, columns=[name]).column(name)
