"""What a command names is found, or the answer says what is wrong."""

from pathlib import Path

import pytest

from lifecycle.commands.lookup import (
    active_rollout,
    find_model,
    find_number,
    find_version,
    find_versions,
)
from lifecycle.commands.rollouts import Rollouts
from lifecycle.core.rollouts.plan import preset
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.one_model import opened


def test_things_are_found_by_name(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        assert find_model(registry.store, "m").name == "m"
        assert sorted(find_versions(registry.store, "m")) == [1, 2, 3, 4]
        assert active_rollout(registry.store, "m") is None
        rollout = Rollouts(registry.store, registry.publisher, registry.clock).start(
            "m", 2, preset("quick"), "ann"
        )
        assert active_rollout(registry.store, "m") == rollout


@pytest.mark.parametrize(
    ("name", "revision", "code"), [("x", None, LifecycleCode.NOT_FOUND), ("m", 2, LifecycleCode.STALE)]
)
def test_what_is_not_there_is_said(
    tmp_path: Path, name: str, revision: int | None, code: LifecycleCode
) -> None:
    with opened(tmp_path) as registry, pytest.raises(LifecycleError) as refused:
        find_model(registry.store, name, revision)
    assert refused.value.code is code


def test_what_was_meant_is_told(tmp_path: Path) -> None:
    with opened(tmp_path) as registry:
        with pytest.raises(LifecycleError, match="no model 'M'; did you mean 'm'"):
            find_model(registry.store, "M")
        with pytest.raises(LifecycleError, match="no version 9; there is 1, 2, 3, 4"):
            find_version(registry.store, "m", 9)
        with pytest.raises(LifecycleError, match="called 'prod' now; there is 'champion'"):
            find_number(registry.store, "m", "prod")
