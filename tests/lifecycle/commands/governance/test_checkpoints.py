"""Checkpoints come in their rhythm."""

from pathlib import Path

import pytest

from lifecycle.adapters.checkpoints import FileCheckpoints, public_text, signing_key
from lifecycle.commands.governance.checkpoints import Checkpointer
from lifecycle.core.governance.checkpoint import Rhythm
from lifecycle.errors import LifecycleError
from lifecycle.ports import Entry
from tests.lifecycle.one_model import Registry


def test_the_head_is_noted_at_the_start_by_count_and_at_the_end(registry: Registry, tmp_path: Path) -> None:
    signer = signing_key(tmp_path / "keys")
    kept = FileCheckpoints(str(tmp_path / "checkpoints"), public_text(signer), signer)
    checkpointer = Checkpointer(registry.store, kept, Rhythm(records=3, seconds=60.0))
    assert checkpointer.unsealed() == 1
    for now in range(5):
        checkpointer.tick(100.0 + now)
        registry.store.commit(Entry("ann", "x", "m"))
    assert [one.statement.head.seq for one in kept.read().genuine] == [1, 4]
    checkpointer.note(200.0)
    checkpointer.note(201.0)
    assert checkpointer.unsealed() == 0
    assert [one.statement.head for one in kept.read().genuine][2:] == [registry.store.head()]


def test_one_that_cannot_be_kept_is_tried_again(registry: Registry, tmp_path: Path) -> None:
    signer = signing_key(tmp_path / "keys")
    (tmp_path / "checkpoints").write_text("in the way")
    kept = FileCheckpoints(str(tmp_path / "checkpoints"), public_text(signer), signer)
    checkpointer = Checkpointer(registry.store, kept, Rhythm(records=3, seconds=60.0))
    with pytest.raises(LifecycleError, match="cannot be stored"):
        checkpointer.tick(100.0)
    assert checkpointer.unsealed() == 1
    (tmp_path / "checkpoints").unlink()
    checkpointer.tick(101.0)
    assert (checkpointer.unsealed(), len(kept.read().genuine)) == (0, 1)
