"""A home's ledger is verified from its files alone."""

from pathlib import Path

import pytest

from lifecycle.adapters.checkpoints import FileCheckpoints, public_text, signing_key
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.core.governance.checkpoint import Statement
from lifecycle.errors import LifecycleError
from lifecycle.ports import Entry
from lifecycle.proof import prove


def test_a_ledger_of_fifty_cut_anywhere_is_found_cut(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'headrace.db'}")
    for number in range(50):
        store.commit(Entry("ann", "x", "m", {"n": number}))
    signer = signing_key(tmp_path / "keys")
    FileCheckpoints(str(tmp_path / "checkpoints"), public_text(signer), signer).add(
        Statement(store.head(), 1.0)
    )
    assert prove(tmp_path).ok
    for left in range(49, -1, -1):
        with store._engine.begin() as connection:
            connection.exec_driver_sql(f"DELETE FROM records WHERE seq > {left}")
            last = f"coalesce((SELECT hash FROM records WHERE seq = {left}), '{'0' * 64}')"
            connection.exec_driver_sql(f"UPDATE heads SET seq = {left}, hash = {last}")
        found = prove(tmp_path)
        assert (found.ok, f"records {left + 1} to 50 are missing" in found.reason) == (False, True)
    store.close()


def test_who_knows_the_key_misses_the_checkpoints_that_were_taken_away(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'headrace.db'}")
    store.commit(Entry("ann", "x", "m", {}))
    store.close()
    key = public_text(signing_key(tmp_path / "keys"))
    assert prove(tmp_path).ok
    found = prove(tmp_path, key)
    assert (found.ok, "no checkpoint is left" in found.reason) == (False, True)


def test_a_home_without_a_ledger_or_a_key_says_so(tmp_path: Path) -> None:
    with pytest.raises(LifecycleError, match="no ledger"):
        prove(tmp_path)
    SqlStore(f"sqlite:///{tmp_path / 'headrace.db'}").close()
    with pytest.raises(LifecycleError, match="public key"):
        prove(tmp_path)
