"""Files go when nothing needs them; a file that somebody registers at that moment stays."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lifecycle.commands.governance.retention import Collector
from lifecycle.core.governance.retention import Retention
from lifecycle.errors import LifecycleError
from lifecycle.ports import Entry
from tests.lifecycle.registry import House

Write = Callable[..., Path]
RULE = Retention(retired_s=50.0, unreferenced_s=3_600.0)


def collector(house: House, seconds_later: float = 0.0) -> Collector:
    return Collector(house.store, house.artifacts, RULE, lambda: time.time() + seconds_later)


async def test_files_that_nothing_needs_go_and_the_ledger_says_which(house: House, linear: Write) -> None:
    kept = await house.models.register("m", linear(), actor="ann")
    _, stray = house.artifacts.put(linear(slope=5))
    assert collector(house).collect("ann").files == ()
    later = collector(house, 3_601)
    told = later.collect("ann", dry_run=True)
    assert [file.digest for file in told.files] == [stray]
    assert {file.digest for file in house.artifacts.stored()} == {kept.digest, stray}
    assert later.collect("ann").files == told.files
    assert {file.digest for file in house.artifacts.stored()} == {kept.digest}
    record = house.store.records()[-1]
    assert (record.kind, record.detail["digests"]) == ("artifacts.collected", [stray])
    assert house.artifacts.fetch(kept.artifact, kept.digest)


async def test_a_retired_versions_files_go_after_their_time_and_its_evidence_stays(
    house: House, linear: Write
) -> None:
    first = await house.models.register("m", linear(), actor="ann")
    await house.models.register("m", linear(slope=2), actor="ann")
    for number in (1, 2):
        await house.validation.validate("m", number, "ann")
    retired = house.models.retire("m", 1, "ann")
    assert retired.retired_at == 1000.0
    assert [file.digest for file in collector(house, 3_601).collect("ann").files] == [first.digest]
    assert house.models.version("m", 1).evidence == retired.evidence
    with pytest.raises(LifecycleError):
        house.artifacts.fetch(first.artifact, first.digest)


async def test_a_file_that_is_registered_while_it_is_collected_stays(
    house: House, linear: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, stray = house.artifacts.put(linear())
    place = next(Path(house.artifacts.put(linear())[0].removeprefix("file://")).parent.glob("*"))
    os.utime(place, (1.0, 1.0))
    remove = house.artifacts.remove

    def registered_meanwhile(digest: str, before: float) -> bool:
        house.artifacts.put(linear())
        return remove(digest, before)

    monkeypatch.setattr(house.artifacts, "remove", registered_meanwhile)
    assert collector(house).collect("ann").files == ()
    assert [file.digest for file in house.artifacts.stored()] == [stray]


async def test_what_a_rollback_or_the_last_chance_needs_is_not_retired(house: House, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    await house.validation.validate("m", 1, "ann")
    with pytest.raises(LifecycleError, match="the last version that may serve"):
        house.models.retire("m", 1, "ann")
    await house.models.register("m", linear(slope=2), actor="ann")
    await house.validation.validate("m", 2, "ann")
    house.serve(2)
    model = house.models.show("m")[0]
    house.store.commit(Entry("t", "t", "m"), replace(model, revision=model.revision + 1, previous=1))
    with pytest.raises(LifecycleError, match="a rollback would go to it"):
        house.models.retire("m", 1, "ann")
    house.models.reject("m", 1, "ann")
    house.models.retire("m", 1, "ann")
