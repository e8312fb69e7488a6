"""`python -m lifecycle.proof`: verifies a home's ledger with no cluster, and prints what it found as JSON.

Reads the database and the checkpoints that the home's settings name. Starts nothing and writes no record.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from lifecycle.adapters.checkpoints import PUBLIC, FileCheckpoints
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.api.schemas.ledger import LedgerOut
from lifecycle.commands.governance import audit
from lifecycle.config import load
from lifecycle.core.governance.ledger import Problem
from lifecycle.errors import LifecycleCode, LifecycleError


def main() -> None:
    """Exits 0 if the ledger could be read, whatever it holds."""
    parser = argparse.ArgumentParser(prog="python -m lifecycle.proof", description=__doc__)
    parser.add_argument("--home", required=True, type=Path)
    parser.add_argument("--key", default="")
    options = parser.parse_args()
    try:
        print(prove(options.home, options.key).model_dump_json())
    except LifecycleError as error:
        sys.exit(f"headrace: {error}")


def prove(home: Path, key: str = "") -> LedgerOut:
    """Verify a home's ledger.

    Args:
        key: the public key that somebody wrote down; there must be checkpoints then. Without it the home's
            own copy is trusted.

    Raises:
        LifecycleError: NOT_FOUND if there is no ledger or no key, INVALID for a wrong setting or key.
    """
    config = load(home, {})
    if not config.store and not (home / "headrace.db").exists():
        raise LifecycleError(LifecycleCode.NOT_FOUND, "there is no ledger in this home")
    written = config.keys_dir / PUBLIC
    if not key and not written.exists():
        raise LifecycleError(LifecycleCode.NOT_FOUND, "this home has no public key; name it with --key")
    checkpoints = FileCheckpoints(config.checkpoints_uri, key or written.read_text())
    kept = checkpoints.read()
    store = SqlStore(config.store_url)
    try:
        found = audit.verify(store, kept)
        if key and found.records and not found.checkpoints and found.problem is None:
            # Whoever wrote the key down knows that there were some: each ledger begins with one.
            problem = Problem(0, "no checkpoint is left, so that an end cut off would not be seen")
            found = replace(found, problem=problem)
        return LedgerOut.of(found)
    finally:
        store.close()


if __name__ == "__main__":
    main()
