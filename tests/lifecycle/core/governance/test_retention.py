"""Which stored files stay."""

from dataclasses import replace

from lifecycle.core.governance.retention import Retention, StoredFile, needed, removable
from lifecycle.core.rollouts.plan import QUICK
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.stages import Stage
from lifecycle.core.version import Lineage, Model, Version
from tests.lifecycle.world import version

RULE = Retention(retired_s=100.0, unreferenced_s=10.0)
NOW = 1_000.0
MODEL = Model("m", 1, 0.0, champion=9, weights=((9, 100.0),))


def digest(number: int, kind: str) -> str:
    return "sha256:" + f"{number:x}{ord(kind[0]):x}".rjust(64, "0")


def made(number: int, *, retired_at: float | None = None, parent: int | None = None) -> Version:
    return replace(
        version(number),
        stage=Stage.APPROVED if retired_at is None else Stage.RETIRED,
        retired_at=retired_at or 0.0,
        digest=digest(number, "artifact"),
        profile_digest=digest(number, "profile"),
        reference_digest=digest(number, "reference"),
        lineage=Lineage(parent),
    )


def kept(model: Model, *versions: Version, rollouts: tuple[Rollout, ...] = ()) -> set[str]:
    return needed([model], versions, rollouts, RULE, NOW)


ALL = {digest(1, kind) for kind in ("artifact", "profile", "reference")}


def test_a_version_keeps_all_its_files_until_it_is_long_retired() -> None:
    assert kept(MODEL, made(1)) == ALL
    assert kept(MODEL, made(1, retired_at=NOW - 99)) == ALL
    assert kept(MODEL, made(1, retired_at=NOW - 100)) == set()


def test_one_that_was_retired_before_that_was_noted_is_kept() -> None:
    assert kept(MODEL, made(1, retired_at=0.0)) == ALL


def test_whatever_still_names_a_version_keeps_it() -> None:
    old = made(1, retired_at=1.0)
    for model in (
        replace(MODEL, previous=1),
        replace(MODEL, held=(1,)),
        replace(MODEL, shadows=(1,)),
        replace(MODEL, aliases={"audited": 1}),
    ):
        assert kept(model, old) == ALL
    assert kept(MODEL, old, rollouts=(Rollout("r", "m", 1, 9, QUICK, 1.0, "ann"),)) == ALL
    assert kept(MODEL, old, rollouts=(Rollout("r", "other", 1, 9, QUICK, 1.0, "ann"),)) == set()


def test_rows_that_a_kept_version_descends_from_stay() -> None:
    line = made(1, retired_at=1.0), made(2, retired_at=1.0, parent=1), made(3, parent=2)
    found = kept(MODEL, *line)
    assert {digest(1, "reference"), digest(2, "reference"), digest(3, "artifact")} <= found
    assert not {digest(1, "artifact"), digest(2, "artifact"), digest(2, "profile")} & found


def test_a_line_that_runs_in_a_circle_ends() -> None:
    assert digest(2, "reference") in kept(MODEL, made(1, parent=2), made(2, retired_at=1.0, parent=1))


def test_a_digest_anywhere_in_a_kept_version_counts() -> None:
    data = "sha256:" + "d" * 64
    assert data in kept(MODEL, replace(made(1), lineage=Lineage(cause=f"trained on {data}")))


def test_a_models_frozen_holdout_stays() -> None:
    rows = "sha256:" + "e" * 64
    assert kept(replace(MODEL, holdout="file:///rows", holdout_digest=rows)) == {rows}


def test_files_stored_lately_stay() -> None:
    files = [StoredFile("a", 1, NOW - 10), StoredFile("b", 1, NOW - 9), StoredFile("c", 1, 0.0)]
    assert removable(files, {"c"}, RULE, NOW) == (files[0],)
