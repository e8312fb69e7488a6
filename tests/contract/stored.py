"""What tests of the registry store, and how they are refused."""

from collections.abc import Callable

import pytest

from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry

ENTRY = Entry("ann", "test", "m", {"why": "a test"})
MODEL = Model("m", 1, 5.0)
ROLLOUT = Rollout("r1", "m", 2, 1, preset("quick"), 10.0, "ann")

Open = Callable[[], SqlStore]


def refusal(act: Callable[[], object]) -> LifecycleCode:
    with pytest.raises(LifecycleError) as refused:
        act()
    return refused.value.code
