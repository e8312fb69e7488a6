"""What a new version has to do with those before it."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.core.ranges import OutputRange
from lifecycle.commands.registry.intake import Submission
from lifecycle.core.stages import Stage
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.registry import House

Write = Callable[..., Path]


async def test_the_file_of_a_retired_version_comes_back_under_a_new_number(
    house: House, linear: Write
) -> None:
    await house.models.register("m", linear(), actor="ann")
    house.models.retire("m", 1, "ann")
    again = await house.models.register("m", linear(), actor="ann")
    assert (again.number, again.stage) == (2, Stage.REGISTERED)
    assert (await house.models.register("m", linear(), actor="ann")).number == 2
    assert (await house.models.register("m", linear(), actor="ann", number=1)).stage is Stage.RETIRED


async def test_versions_count_up_and_a_taken_number_is_a_conflict(house: House, linear: Write) -> None:
    await house.models.register("m", linear(), actor="ann")
    second = await house.models.register("m", linear(slope=2), actor="ann")
    ninth = await house.models.register("m", linear(slope=3), actor="ann", number=9)
    tenth = await house.models.register("m", linear(slope=4), actor="ann")
    assert [second.number, ninth.number, tenth.number] == [2, 9, 10]
    with pytest.raises(LifecycleError, match="version 2 of 'm' is another file") as caught:
        await house.models.register("m", linear(slope=5), actor="ann", number=2)
    assert caught.value.code is LifecycleCode.CONFLICT


async def test_the_same_file_with_other_things_beside_it_is_a_conflict_and_not_ignored(
    house: House, linear: Write, tmp_path: Path
) -> None:
    rows, other = tmp_path / "rows.parquet", tmp_path / "other.parquet"
    for path in (rows, other):
        table = pa.table({"x": pa.array([[float(len(path.stem))] * 3], pa.list_(pa.float32()))})
        pq.write_table(table, path)
    wide, narrow = OutputRange("y", -9.0, 9.0), OutputRange("y", 0.0, 1.0)
    given = Submission(reference=rows, recipe="a:b", ranges=(wide,))
    first = await house.real.register("m", linear(), actor="ann", given=given)
    for same in (given, Submission(), Submission(reference=rows), Submission(ranges=(wide,))):
        assert await house.real.register("m", linear(), actor="ann", given=same) == first
    for wrong, what in (
        (Submission(reference=other), "reference rows"),
        (Submission(golden=rows), "golden rows"),
        (Submission(ranges=(narrow,), recipe="c:d"), "output ranges and recipe"),
    ):
        with pytest.raises(LifecycleError, match=f"is the same file with other {what};") as caught:
            await house.real.register("m", linear(), actor="ann", given=wrong)
        assert caught.value.code is LifecycleCode.CONFLICT
    anew = Submission(reference=other)
    assert (await house.real.register("m", linear(), actor="ann", number=2, given=anew)).number == 2


async def test_declared_ranges_hold_on_until_they_are_said_anew(house: House, linear: Write) -> None:
    wide, narrow = OutputRange("y", -9.0, 9.0), OutputRange("y", 0.0, 1.0)
    first = await house.real.register("m", linear(slope=2), actor="ann", given=Submission(ranges=(wide,)))
    second = await house.real.register("m", linear(slope=3), actor="ann")
    third = await house.real.register("m", linear(slope=4), actor="ann", given=Submission(ranges=(narrow,)))
    assert [version.ranges for version in (first, second, third)] == [(wide,), (wide,), (narrow,)]
    assert [version.ranges for version in house.models.show("m")[1]] == [(wide,), (wide,), (narrow,)]
    assert second.entry().ranges == (wide,)
    with pytest.raises(LifecycleError, match="there is y") as caught:
        await house.real.register(
            "m", linear(slope=5), actor="ann", given=Submission(ranges=(OutputRange("z", 0.0, 1.0),))
        )
    assert caught.value.code is LifecycleCode.INVALID
