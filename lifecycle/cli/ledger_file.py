"""The ledger as a file of JSON lines, a record each: written for an auditor, checked without a server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lifecycle.client import Client
from lifecycle.core.governance.ledger import Record, verify
from lifecycle.errors import LifecycleCode, LifecycleError

PAGE = 1000


def every_record(client: Client) -> Iterator[dict[str, Any]]:
    """All records, oldest first, in as many requests as it takes."""
    after = 0
    while page := client.audit(after=after, limit=PAGE):
        yield from page
        after = page[-1]["seq"]


def check(path: Path) -> Record:
    """The last record of a file whose records are whole and seal each other from the first one on.

    That its end was not cut off, or all of it chained anew, only a checkpoint shows: compare the hash.

    Raises:
        LifecycleError: INVALID if it is no such file, REFUSED if a record is not what was written.
    """
    try:
        records = [
            Record.from_json(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()
        ]
    except (OSError, ValueError, TypeError):
        message = f"{path} is not a ledger's file; `headrace audit export > {path.name}` writes one"
        raise LifecycleError(LifecycleCode.INVALID, message) from None
    if not records:
        raise LifecycleError(LifecycleCode.INVALID, f"{path} holds no record")
    if problem := verify(records):
        raise LifecycleError(LifecycleCode.REFUSED, f"the ledger is not whole: {problem.reason}")
    return records[-1]
