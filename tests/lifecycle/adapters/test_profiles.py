"""Profiles and reference rows of registered versions, from a real registry."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.profile import Profile
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.profiles import Profiles
from lifecycle.commands.registry.intake import Submission
from lifecycle.core.inspection import REFERENCE, Answers
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.tensors import to_array
from tests.lifecycle.registry import GOOD, House

ROWS = np.arange(60, dtype=np.float32).reshape(20, 3)


@pytest.fixture
def profiles(house: House) -> Profiles:
    return Profiles(house.store, house.artifacts)


@pytest.fixture
async def registered(house: House, linear: Callable[..., Path], tmp_path: Path) -> None:
    """Version 1 brings reference rows with labels, version 2 none."""
    reference = tmp_path / "reference.parquet"
    pq.write_table(pa.table({"x": list(ROWS), "label": [0, 1] * 10}), reference)
    house.sandbox.says = replace(GOOD, sets={REFERENCE: Answers({"x": ROWS}, {"y": ROWS})})
    await house.models.register("m", linear(), actor="ann", given=Submission(reference=reference))
    house.sandbox.says = GOOD
    await house.models.register("m", linear("plain.onnx", slope=2.0), actor="ann")


async def test_outputs_compare_where_both_versions_have_a_profile(
    profiles: Profiles, registered: None
) -> None:
    rollout = Rollout("r", "m", 1, 1, preset("quick"), 0.0, "ann")
    assert profiles.bins(rollout) is not None
    assert profiles.bins(replace(rollout, version=2)) is None


async def test_numbers_compare_however_differently_two_versions_answer(
    house: House, profiles: Profiles, linear: Callable[..., Path], tmp_path: Path
) -> None:
    pq.write_table(pa.table({"x": list(ROWS)}), tmp_path / "reference.parquet")
    for number in (1, 2):
        prices = np.linspace(0.0, 10.0 * number, 20, dtype=np.float32)
        house.sandbox.says = replace(GOOD, sets={REFERENCE: Answers({"x": ROWS}, {"y": prices})})
        await house.models.register(
            "m", linear(slope=number), actor="ann", given=Submission(reference=tmp_path / "reference.parquet")
        )
    bins = profiles.bins(Rollout("r", "m", 2, 1, preset("quick"), 0.0, "ann"))
    assert bins is not None
    assert bins[0].width == bins[1].width > 2


async def test_a_version_has_the_profile_it_was_registered_with(
    house: House, profiles: Profiles, registered: None
) -> None:
    expected = Profile.of({"x": ROWS}, {"y": ROWS})
    found = profiles.of("m", 1)
    assert found is not None
    assert found.keys() == expected.keys()
    np.testing.assert_array_equal(found.reference["inputs.x"], expected.reference["inputs.x"])
    assert profiles.of("m", 2) is None
    assert profiles.of("m", 3) is None


async def test_a_profile_once_read_outlives_its_file(
    house: House, profiles: Profiles, registered: None, tmp_path: Path
) -> None:
    first = profiles.of("m", 1)
    shutil.rmtree(tmp_path / "artifacts")
    assert profiles.of("m", 1) is first
    with pytest.raises(LifecycleError):
        Profiles(house.store, house.artifacts).of("m", 1)


async def test_a_controller_on_another_node_waits_for_no_store(
    house: House, linear: Callable[..., Path], tmp_path: Path
) -> None:
    """It is told that the profile is not here, and has it as soon as the store has given it."""
    pq.write_table(pa.table({"x": list(ROWS)}), tmp_path / "reference.parquet")
    remote = f"memory://{tmp_path.name}"
    house.artifacts = FileArtifacts(remote, tmp_path / "first")
    models, _ = house.commands()
    house.sandbox.says = replace(GOOD, sets={REFERENCE: Answers({"x": ROWS}, {"y": ROWS})})
    await models.register(
        "m", linear(), actor="ann", given=Submission(reference=tmp_path / "reference.parquet")
    )
    profiles = Profiles(house.store, FileArtifacts(remote, tmp_path / "second"))
    with pytest.raises(LifecycleError, match="version 1 of 'm' is not here yet") as caught:
        profiles.of("m", 1)
    assert caught.value.code is LifecycleCode.UNAVAILABLE
    found = None
    while found is None:
        with suppress(LifecycleError):
            found = profiles.of("m", 1)
    assert found.keys()


async def test_reference_rows_come_back_with_their_labels(
    house: House, profiles: Profiles, registered: None
) -> None:
    rows = profiles.reference(house.models.version("m", 1))
    np.testing.assert_array_equal(to_array(rows["inputs.x"]), ROWS)
    assert rows["label"].to_pylist() == [0, 1] * 10
    assert len(set(rows["row_id"].to_pylist())) == 20
    assert rows["holdout"].to_pylist() == rows["recent"].to_pylist() == [None] * 20


async def test_reference_rows_keep_their_names_and_flags(
    house: House, profiles: Profiles, linear: Callable[..., Path], tmp_path: Path
) -> None:
    reference = tmp_path / "reference.parquet"
    names, held = [f"p{i}" for i in range(20)], [True, False, None, False] * 5
    pq.write_table(
        pa.table({"inputs.x": list(ROWS), "row_id": names, "holdout": held, "recent": held}), reference
    )
    rows = profiles.reference(
        await house.models.register("m", linear(), actor="ann", given=Submission(reference=reference))
    )
    assert rows.column_names == ["inputs.x", "row_id", "holdout", "recent"]
    assert rows["row_id"].to_pylist() == names
    assert rows["holdout"].to_pylist() == rows["recent"].to_pylist() == held


async def test_a_version_without_reference_rows_says_how_to_give_some(
    house: House, profiles: Profiles, registered: None
) -> None:
    with pytest.raises(LifecycleError, match=r"version 2 of 'm'.*--reference") as caught:
        profiles.reference(house.models.version("m", 2))
    assert caught.value.code is LifecycleCode.NOT_FOUND
