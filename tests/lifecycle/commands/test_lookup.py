"""What a command names is found, or the answer says what is wrong."""

from pathlib import Path

import pytest

from gateway.core.keys import Key, KeyRole
from lifecycle.commands.lookup import (
    active_rollout,
    find_model,
    find_number,
    find_version,
    find_versions,
    person,
)
from lifecycle.commands.rollouts import Rollouts
from lifecycle.core.rollouts.plan import preset
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry
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


@pytest.mark.parametrize(
    "owners",
    [
        {"ann": "", "ann-ci": "ann", "ann-new": "ann-ci"},
        {"ann-ci": "ann", "ann-new": "ann-ci", "ann": "a.smith"},
        {"ann": "ann-ci", "ann-ci": "ann", "ann-new": "ann"},
    ],
    ids=["an owner is a key", "told later", "each other's"],
)
def test_one_person_is_one_by_whichever_key_another_was_said_to_be_theirs(
    tmp_path: Path, owners: dict[str, str]
) -> None:
    with opened(tmp_path) as registry:
        for name, owner in {**owners, "bob": ""}.items():
            key = Key(name, name, KeyRole.APPROVER, owner=owner)
            registry.store.commit(Entry("boss", "key.created", "", {"key": name}), key)
        assert len({person(registry.store, name) for name in owners}) == 1
        assert person(registry.store, "bob") == "bob"
        assert person(registry.store, "nobody") == "nobody"
