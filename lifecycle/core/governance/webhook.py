"""Webhook messages: what they say, how they are signed, when a failed one is sent again. Sends nothing.

The form is that of Standard Webhooks (https://www.standardwebhooks.com), whose libraries verify it.
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lifecycle.core.governance.ledger import Record
from lifecycle.errors import LifecycleCode, LifecycleError

PREFIX = "whsec_"
SHORTEST = 24
"""Bytes of a secret."""
TOLERANCE_S = 300.0
LONGEST_PAUSE_S = 300.0
_STAMP = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the same at every attempt, so that a receiver can tell a repetition."""

    id: str
    body: bytes


def wants(kinds: Collection[str], kind: str) -> bool:
    """Whether a webhook is for a record: `rollout` takes every `rollout.…`; no kinds take every record."""
    return not kinds or any(kind == wanted or kind.startswith(f"{wanted}.") for wanted in kinds)


def message(record: Record) -> Message:
    """A ledger record as a receiver gets it."""
    at = datetime.fromtimestamp(record.at, UTC).isoformat()
    told: dict[str, Any] = {"type": record.kind, "timestamp": at, "data": record.as_json()}
    return Message(f"msg_{record.seq}_{record.hash[-12:]}", json.dumps(told).encode())


def key_of(secret: str) -> bytes:
    """The key in a secret: base64 behind `whsec_`. Raises LifecycleError INVALID."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(PREFIX) or len(key) < SHORTEST:
        message = f"a webhook's secret is `{PREFIX}` and at least {SHORTEST} bytes in base64"
        raise LifecycleError(LifecycleCode.INVALID, message)
    return key


def signed(secrets: Sequence[str], told: Message, now: float) -> dict[str, str]:
    """The headers of an attempt: HMAC-SHA256 of `id.timestamp.body` by each secret."""
    stamp = str(int(now))
    marks = (_signature(key_of(secret), told.id, stamp, told.body) for secret in secrets)
    return {
        "content-type": "application/json",
        "webhook-id": told.id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{mark}" for mark in marks),
    }


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether a message came from who knows the secret, in the last five minutes. `headers` in lower case."""
    stamp, given = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "")
    if not _STAMP.fullmatch(stamp) or abs(now - int(stamp)) > TOLERANCE_S:
        return False
    wanted = _signature(key_of(secret), headers.get("webhook-id", ""), stamp, body)
    marks = (part.encode("utf-8", "replace") for part in given.split())
    return any(hmac.compare_digest(mark, f"v1,{wanted}".encode()) for mark in marks)


def pause(failures: int) -> float:
    """Seconds until the next attempt: 1, 2, 4, … up to five minutes."""
    return min(math.ldexp(1.0, min(failures, 20) - 1), LONGEST_PAUSE_S)


def _signature(key: bytes, name: str, stamp: str, body: bytes) -> str:
    said = name.encode("utf-8", "replace") + b"." + stamp.encode() + b"." + body
    return base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
