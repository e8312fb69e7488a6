"""API keys: made, listed, revoked and recognised. A secret is told once, to whoever makes the key."""

import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.core.keys import NO_KEYS, Key, Keyring, KeyRole, digest, subject_digest
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_MODELS = re.compile(r"(?!\.)[A-Za-z0-9._-]{1,128}\*?")
_PART = r"[A-Za-z0-9][A-Za-z0-9.-]*=(?:[^,\\]|\\.)*"
_SUBJECT = re.compile(rf"{_PART}(?:,{_PART})*")
_RESERVED = frozenset(("controller", "monitor", "retraining", "policy", "local"))
"""The ledger's names for what no person did."""


class Keys:
    """Commands on keys.

    Args:
        commit: writes a key and has workers take it; the store's own where none are running.
        clock: Unix time in seconds.
        published: the keys that workers go by, which count here too while the registry is away.
    """

    def __init__(
        self,
        store: Store,
        commit: Callable[[Entry, Key], object],
        clock: Callable[[], float],
        published: Callable[[], Keyring] = lambda: NO_KEYS,
    ) -> None:
        self._store = store
        self._commit = commit
        self._clock = clock
        self._published = published

    def list(self) -> Sequence[Key]:
        """All that ever were, by name."""
        return self._store.api_keys()

    def create(
        self,
        name: str,
        role: KeyRole,
        *,
        actor: str,
        models: Sequence[str] = (),
        expires_s: float | None = None,
        subject: str = "",
        owner: str = "",
    ) -> tuple[Key, str]:
        """A new key and its secret, which is kept nowhere.

        Args:
            models: names, or prefixes that end in `*`; none for every model.
            expires_s: seconds from now; None for never.
            subject: of the client certificate that stands for the key, as RFC 2253 writes it, e.g.
                `CN=shop,O=Acme`; there is no secret then.
            owner: the person whose key it is; nobody may approve with one what was submitted with another.

        Raises:
            LifecycleError: INVALID for a bad name, scope or subject, CONFLICT for a name that was ever used:
                the ledger must always mean one key by it.
        """
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise _invalid("a key's name has 1 to 64 letters, digits, '.', '_', '@' and '-'; some are taken")
        if owner and not _NAME.fullmatch(owner):
            raise _invalid("an owner is written as the name of a key is, e.g. `ann` or `ann@acme.example`")
        if wrong := [model for model in models if not _MODELS.fullmatch(model)]:
            raise _invalid(f"{wrong[0]!r} is neither a model's name nor a prefix such as `eu-*`")
        if expires_s is not None and not 0 < expires_s < 1e10:
            raise _invalid("a key expires some time from now, e.g. after 30d")
        if subject and not _SUBJECT.fullmatch(subject):
            raise _invalid(
                "a certificate's subject is written as in CN=shop,O=Acme: "
                "`openssl x509 -noout -subject -nameopt rfc2253,-esc_msb -in FILE` prints it so"
            )
        if any(key.name == name for key in self._store.api_keys()):
            message = f"there is or was a key {name!r}; names are not used again, so choose another"
            raise LifecycleError(LifecycleCode.CONFLICT, message)
        secret, now = "" if subject else f"hr_{secrets.token_urlsafe(32)}", self._clock()
        mark = subject_digest(subject) if subject else digest(secret)
        if any(key.digest == mark for key in self._unrevoked().keys):
            raise LifecycleError(
                LifecycleCode.CONFLICT, f"another key is for {subject!r} already; revoke it first"
            )
        expires_at = 0.0 if expires_s is None else now + expires_s
        key = Key(name, mark, role, tuple(models), now, expires_at, subject=subject, owner=owner)
        detail = {"key": name, "role": str(role), "models": list(models), "expires_at": expires_at}
        detail["digest"] = key.digest  # tells nothing of the secret, but that another row is another key
        told = {"subject": subject, "owner": owner}
        detail |= {name: text for name, text in told.items() if text}
        self._commit(Entry(actor, "key.created", "", detail), key)
        return key, secret

    def revoke(self, name: str, actor: str) -> Key:
        """End a key at once, for good. Revoking it again changes nothing. Raises LifecycleError NOT_FOUND."""
        key = next((key for key in self._store.api_keys() if key.name == name), None)
        if key is None:
            raise LifecycleError(LifecycleCode.NOT_FOUND, f"there is no key {name!r}")
        if not key.revoked_at:
            key = replace(key, revoked_at=self._clock())
            self._commit(Entry(actor, "key.revoked", "", {"key": name}), key)
        return key

    def find(self, secret: str) -> Key | None:
        """The live key of a secret, as stored this moment."""
        return self._unrevoked().find(secret, self._clock())

    def find_subject(self, subject: str) -> Key | None:
        """The live key of a client certificate, as stored this moment."""
        return self._unrevoked().find_subject(subject, self._clock())

    def still_live(self, key: Key) -> bool:
        """Whether a key that was found some time ago has neither expired nor been revoked since."""
        now = self._clock()
        return any(known.name == key.name and known.live(now) for known in self._unrevoked().keys)

    def _unrevoked(self) -> Keyring:
        try:
            # A subject may have had another key before, with the same digest.
            return Keyring(tuple(key for key in self._store.api_keys() if not key.revoked_at))
        except LifecycleError:
            # Nobody can revoke a key now, and who looks after the node must see how it fares.
            return self._published()


def _invalid(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, message)
