"""A ledger in memory."""

from lifecycle.core.governance.ledger import Head, Record, seal


def chain(length: int) -> list[Record]:
    records: list[Record] = []
    head = Head()
    for i in range(length):
        records.append(seal(head, 100.0 + i, "ann", "traffic.set", "m", {"weights": {"1": 90.5, "2": 9.5}}))
        head = records[-1].head
    return records
