"""The ledger's records, however many there are."""

from collections.abc import Iterator

from lifecycle.core.governance.ledger import Record
from lifecycle.ports import Store

PAGE = 1_000


def trail(store: Store, model: str | None = None, *, after: int = 0, kind: str = "") -> Iterator[Record]:
    """All records of a model or of everything, of a kind or of each, behind number `after`; oldest first."""
    while page := store.records(model, after=after, limit=PAGE, kind=kind):
        yield from page
        after = page[-1].seq
