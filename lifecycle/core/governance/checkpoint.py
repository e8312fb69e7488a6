"""What a checkpoint of the ledger states, and when the next one is due. Signs and keeps nothing itself.

A hash chain shows edits, but whoever can write the database can also cut its end off or chain it anew. A
statement of its head that was signed and kept elsewhere shows that too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle.core.governance.ledger import Head, canonical


@dataclass(frozen=True, slots=True)
class Statement:
    """At a time, Unix seconds, this was the ledger's last record."""

    head: Head
    at: float

    def message(self) -> bytes:
        """The bytes that are signed: one text per statement, of no other use."""
        return canonical(["headrace ledger checkpoint 1", self.head.seq, self.head.hash, self.at]).encode()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A statement with its Ed25519 signature (RFC 8032), in hexadecimal."""

    statement: Statement
    signature: str

    def as_json(self) -> dict[str, Any]:
        head = self.statement.head
        return {
            "seq": head.seq,
            "hash": head.hash,
            "at": self.statement.at,
            "signature": self.signature,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Checkpoint":
        """Raises KeyError, TypeError or ValueError for what is no checkpoint."""
        head = Head(int(data["seq"]), str(data["hash"]))
        return cls(Statement(head, float(data["at"])), str(data["signature"]))


@dataclass(frozen=True, slots=True)
class Kept:
    """What lies where checkpoints are kept: genuine ones, oldest first, and names of those that are not."""

    genuine: tuple[Checkpoint, ...] = ()
    forged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A checkpoint is due `records` records or `seconds` after the last one, and never without news."""

    records: int
    seconds: float

    def due(self, last: Statement, head: Head, now: float) -> bool:
        if head == last.head:
            return False
        return head.seq - last.head.seq >= self.records or now - last.at >= self.seconds
