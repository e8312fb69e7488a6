"""Segments as crashes leave them."""

import contextlib
import random
import resource
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from lifecycle.adapters.captures import segments
from lifecycle.adapters.captures.segments import FAN_IN, Segments, unify


def table(at: float, **columns: list[object]) -> pa.Table:
    return pa.table({"at": [at], **columns})


def everything(folder: Path) -> list[float | None]:
    read = [segment.read()["at"].to_pylist() for segment in Segments(folder, durable=True).all]
    return [at for part in read for at in part]


@contextlib.contextmanager
def disk_takes(most: int) -> Iterator[None]:
    """No file longer than so many bytes: a merge is what a full disk refuses first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_small_files_are_merged_in_order(tmp_path: Path) -> None:
    log = Segments(tmp_path, durable=True)
    for i in range(FAN_IN + 1):
        log.write(table(float(i)))
    assert [(segment.first, segment.last, segment.newest) for segment in log.all] == [
        (0, FAN_IN - 1, FAN_IN - 1.0),
        (FAN_IN, FAN_IN, float(FAN_IN)),
    ]
    assert everything(tmp_path) == [float(i) for i in range(FAN_IN + 1)]


def test_a_kill_between_write_and_rename_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Segments(tmp_path, durable=True)
    log.write(table(1.0))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            log.write(table(2.0))
    assert everything(tmp_path) == [1.0]
    assert [path.suffix for path in tmp_path.iterdir()] == [".parquet"]


def test_a_kill_in_the_middle_of_a_merge_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Segments(tmp_path, durable=True)
    for i in range(FAN_IN - 1):
        log.write(table(float(i)))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            log.write(table(FAN_IN - 1.0))
    assert len(list(tmp_path.iterdir())) == FAN_IN + 1
    assert everything(tmp_path) == [float(i) for i in range(FAN_IN)]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_too_full_to_merge_takes_each_write_once(tmp_path: Path) -> None:
    log, chance = Segments(tmp_path, durable=True), random.Random(0)
    noise = [chance.randbytes(2_000) for _ in range(FAN_IN + 3)]
    with disk_takes(30_000):
        for i in range(FAN_IN + 2):
            log.write(table(float(i), noise=[noise[i]]))
        assert [path.suffix for path in tmp_path.iterdir()] == [".parquet"] * (FAN_IN + 2)
    assert everything(tmp_path) == [float(i) for i in range(FAN_IN + 2)]
    log.write(table(FAN_IN + 2.0, noise=[noise[-1]]))  # there is room again
    assert len(log.all) == 4
    assert everything(tmp_path) == [float(i) for i in range(FAN_IN + 3)]


def test_a_write_that_the_disk_refuses_leaves_nothing(tmp_path: Path) -> None:
    log = Segments(tmp_path, durable=True)
    log.write(table(1.0))
    with disk_takes(100), pytest.raises(OSError, match="File too large"):
        log.write(table(2.0))
    assert len(list(tmp_path.iterdir())) == 1
    log.write(table(3.0))
    assert everything(tmp_path) == [1.0, 3.0]


def test_rows_are_found_whatever_the_file_before_holds(tmp_path: Path) -> None:
    log = Segments(tmp_path, durable=True)
    log.write(table(5_000.0))  # of a worker whose clock is ahead
    log.write(table(10.0))
    assert [segment.newest for segment in log.between(0.0, 100.0)] == [10.0]
    assert log.between(100.0, 1_000.0) == []


def test_a_torn_file_is_set_aside(tmp_path: Path) -> None:
    log = Segments(tmp_path, durable=False)
    log.write(table(1.0))
    log.write(table(2.0))
    log.all[0].path.write_bytes(b"PAR1 torn")
    assert everything(tmp_path) == [2.0]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".parquet", ".unreadable"]


def test_writing_goes_on_after_a_restart(tmp_path: Path) -> None:
    Segments(tmp_path, durable=True).write(table(1.0))
    Segments(tmp_path, durable=True).write(table(2.0))
    assert everything(tmp_path) == [1.0, 2.0]


def test_columns_that_changed_type_are_not_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "FAN_IN", 2)
    log = Segments(tmp_path, durable=True)
    log.write(table(1.0, x=[[1.0]]))
    log.write(table(2.0, x=["text"]))
    assert everything(tmp_path) == [1.0, 2.0]


def test_unify_widens_numbers_and_leaves_out_what_cannot_be_read_alike() -> None:
    joined = unify([table(0.0, x=["text"]), table(1.0, x=[1]), table(2.0, x=[2.5])])
    assert joined["x"].to_pylist() == [1.0, 2.5]


def test_files_can_be_asked_for_ids_without_reading_them(tmp_path: Path) -> None:
    log = Segments(tmp_path, durable=False, ids="name")
    for i in range(FAN_IN + 1):
        log.write(table(float(i), name=[f"prediction {i}"]))
    merged, last = Segments(tmp_path, durable=False, ids="name").all
    assert all(merged.may_hold([f"prediction {i}"]) for i in range(FAN_IN))
    assert not last.may_hold(["prediction 0", "prediction 1"])
    assert last.may_hold(["prediction 0", f"prediction {FAN_IN}"])


def test_a_file_without_a_filter_may_hold_any_id(tmp_path: Path) -> None:
    Segments(tmp_path, durable=False).write(table(1.0, name=["a"]))
    (old,) = Segments(tmp_path, durable=False, ids="name").all
    assert old.may_hold(["b"])
