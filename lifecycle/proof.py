"""`python -m lifecycle.proof`: verifies a home's ledger with no cluster, and prints what it found as JSON.

Reads the database and the checkpoints that the home's settings name. Starts nothing and writes no record.
"""

import argparse
import sys
from pathlib import Path

from lifecycle.adapters.checkpoints import PUBLIC, FileCheckpoints
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.api.schemas.ledger import LedgerOut
from lifecycle.commands.governance import audit
from lifecycle.config import load
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
        key: the public key that somebody wrote down. Without it the home's own copy is trusted.

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
        return LedgerOut.of(audit.verify(store, kept))
    finally:
        store.close()


if __name__ == "__main__":
    main()
