"""What is remembered of a change that was asked for under an idempotency key."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that was asked for under an idempotency key.

    Args:
        fingerprint: of all that the request said.
        status: HTTP status of the answer; None while it is not known.
        body: the answer; None if it is not kept.
    """

    fingerprint: str
    status: int | None = None
    etag: str | None = None
    body: str | None = None
