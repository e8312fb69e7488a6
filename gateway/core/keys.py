"""API keys as the data path knows them: who a secret belongs to, and what it may do.

Secrets are never kept: a key is known by its digest only.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.core.patterns import covers

SUBJECT = "x-headrace-subject"
"""The header in which the edge says whose certificate it has verified."""


class KeyRole(StrEnum):
    """A ladder: each role may do all that the ones before it may."""

    VIEWER = "viewer"
    INFERENCE = "inference"
    DEPLOYER = "deployer"
    APPROVER = "approver"
    ADMIN = "admin"


_RANK = {role: rank for rank, role in enumerate(KeyRole)}


@dataclass(frozen=True, slots=True)
class Key:
    """One person's or one program's key. Times are Unix seconds; 0 stands for never.

    Args:
        digest: of the secret, by `digest`.
        models: names, or prefixes that end in `*`; empty means every model.
        subject: of a client certificate, as RFC 2253 writes it; the key is then shown by that certificate and
            has no secret. Empty for all others.
        owner: the person whose key it is; empty for whom its name says. One person's keys count as one.
    """

    name: str
    digest: str
    role: KeyRole
    models: tuple[str, ...] = ()
    created_at: float = 0.0
    expires_at: float = 0.0
    revoked_at: float = 0.0
    subject: str = ""
    owner: str = ""

    @property
    def person(self) -> str:
        return self.owner or self.name

    @property
    def wide(self) -> bool:
        """Whether it is for every model, those to come too."""
        return not self.models

    def covers(self, model: str) -> bool:
        return covers(self.models, model)

    def may(self, role: KeyRole) -> bool:
        return _RANK[self.role] >= _RANK[role]

    def live(self, now: float) -> bool:
        return not self.revoked_at and not 0 < self.expires_at <= now

    def as_json(self) -> dict[str, Any]:
        fields = ("name", "digest", "created_at", "expires_at", "revoked_at", "subject", "owner")
        return {name: getattr(self, name) for name in fields} | {
            "role": str(self.role),
            "models": list(self.models),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Key":
        return cls(**{**data, "role": KeyRole(data["role"]), "models": tuple(data["models"])})


def digest(secret: str) -> str:
    """BLAKE2b-256, personalised. Secrets are 256 random bits, so a fast hash is as good as a slow one."""
    return _digest(secret, b"headrace key")


def subject_digest(subject: str) -> str:
    """Of a certificate's subject. No secret has the same: whoever knows a subject cannot send it as a key."""
    return _digest(subject, b"headrace cert")


def _digest(text: str, person: bytes) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=32, person=person).hexdigest()


@dataclass(frozen=True, slots=True)
class Keyring:
    """Every key that may be used, as a part of a route table."""

    keys: tuple[Key, ...] = ()
    _by_digest: dict[str, Key] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_digest", {key.digest: key for key in self.keys})

    def find(self, secret: str, now: float) -> Key | None:
        """The live key of a secret.

        Time tells nothing of the secret: what is looked up is its digest, which a caller cannot steer.
        """
        return self._live(digest(secret), now)

    def find_subject(self, subject: str, now: float) -> Key | None:
        """The live key of a client certificate. Only the edge can say that one was shown and verified."""
        return self._live(subject_digest(subject), now)

    def _live(self, presented: str, now: float) -> Key | None:
        key = self._by_digest.get(presented)
        if key is None or not hmac.compare_digest(key.digest, presented) or not key.live(now):
            return None
        return key

    def as_json(self) -> list[dict[str, Any]]:
        return [key.as_json() for key in self.keys]

    @classmethod
    def from_json(cls, data: Iterable[Mapping[str, Any]]) -> "Keyring":
        return cls(tuple(Key.from_json(key) for key in data))


NO_KEYS = Keyring()


def secret_in(authorization: str, api_key: str) -> str:
    """The secret of a request: `authorization: Bearer SECRET`, or else `x-api-key: SECRET`. Empty if none."""
    scheme, _, value = authorization.partition(" ")
    return value.strip() if scheme.lower() == "bearer" else api_key.strip()


def uncertified(subject: str) -> str:
    """What whoever shows a certificate of no key is told."""
    make = f"headrace key create NAME --role ROLE --certificate {subject!r}"
    return f"no key stands for the certificate {subject!r}; an admin makes one by `{make}`"
