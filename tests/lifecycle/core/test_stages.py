"""The law of a version's stages, move by move."""

import pytest

from lifecycle.core.stages import SERVABLE, TRANSITIONS, Event, Stage, move
from lifecycle.errors import LifecycleCode, LifecycleError


def test_the_law_allows_what_is_in_it_and_nothing_else() -> None:
    for stage in Stage:
        for event in Event:
            if (stage, event) in TRANSITIONS:
                assert move(stage, event) is TRANSITIONS[stage, event]
            else:
                with pytest.raises(LifecycleError, match=str(event)) as refused:
                    move(stage, event)
                assert refused.value.code is LifecycleCode.CONFLICT


def test_no_version_serves_without_validation_and_approval() -> None:
    assert {stage for (stage, event) in TRANSITIONS if event is Event.APPROVE} == {Stage.VALIDATED}
    into = {stage for (stage, _), after in TRANSITIONS.items() if after in SERVABLE} - SERVABLE
    assert into == {Stage.VALIDATED}
