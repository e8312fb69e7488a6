"""Who may ask what of a worker while identity is on. Must never answer a model's question itself.

A check is one hash and one look-up, about 3 µs a request (benchmarks/micro/gate.py), so nothing is cached and
no secret is kept. Without identity there is no gate, and a request pays nothing.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.keys import NO_KEYS, SUBJECT, Key, Keyring, KeyRole, secret_in, uncertified
from gateway.core.routing import RouteTable
from gateway.core.throttle import BadKeys
from gateway.core.types import VersionKey
from gateway.errors import ErrorCode, GatewayError
from gateway.ports import LoadedVersion, Routes

_AUTHORIZATION, _API_KEY, _ADDRESS = b"authorization", b"x-api-key", b"x-forwarded-for"
_SUBJECT = SUBJECT.encode()
CREDENTIALS = (_AUTHORIZATION, _API_KEY, _ADDRESS, _SUBJECT)
"""Two headers that may hold a key, and what the edge notes of the caller."""


class Gate:
    """Knows the keys of the newest table it has seen; until the first one nobody passes.

    Args:
        certificates: whether the edge verifies client certificates and says whose each is. Nobody else's word
            on that is taken.
    """

    def __init__(self, certificates: bool = False) -> None:
        self._certificates = certificates
        self._keys = NO_KEYS
        self._generation = -1
        self._bad = BadKeys()

    def take(self, generation: int, keys: Keyring) -> None:
        """Use these keys from now on, unless they are older than those at hand."""
        if generation >= self._generation:
            self._generation, self._keys = generation, keys

    def caller(self, headers: Mapping[bytes, bytes]) -> Key:
        """Whose key they hold. Raises GatewayError UNAUTHENTICATED, or THROTTLED after many bad keys."""
        key, told = self._find(headers)
        if key is not None:
            return key
        subject = headers.get(_SUBJECT, b"").decode("latin-1") if self._certificates else ""
        if not told:
            message = "a key is needed: send it as `authorization: Bearer KEY`"
            raise GatewayError(ErrorCode.UNAUTHENTICATED, uncertified(subject) if subject else message)
        address = headers.get(_ADDRESS, b"").decode("latin-1")
        if self._bad.note(address, time.monotonic()):
            raise GatewayError(ErrorCode.THROTTLED, "too many bad keys from this address; wait a minute")
        raise GatewayError(ErrorCode.UNAUTHENTICATED, "this key is unknown, expired or revoked")

    def _find(self, headers: Mapping[bytes, bytes]) -> tuple[Key | None, bool]:
        """The caller's key, None if there is none that holds; and whether the headers hold one at all."""
        authorization, api_key, subject = (
            headers.get(name, b"").decode("latin-1") for name in (_AUTHORIZATION, _API_KEY, _SUBJECT)
        )
        if secret := secret_in(authorization, api_key):
            return self._keys.find(secret, time.time()), True
        certified = self._keys.find_subject(subject, time.time()) if subject and self._certificates else None
        return certified, False

    def admits(self, headers: Mapping[bytes, bytes], model: str) -> bool:
        """Whether the caller may ask the model. One that may not is told why by `caller` and `infers`."""
        key, _ = self._find(headers)
        return key is not None and key.covers(model) and key.may(KeyRole.INFERENCE)

    def infers(self, key: Key, model: str) -> None:
        """Raises GatewayError NOT_FOUND for a model that is not the key's, FORBIDDEN for a lesser role."""
        if not key.covers(model):
            raise GatewayError(ErrorCode.NOT_FOUND, f"no model named {model!r} is served here")
        if not key.may(KeyRole.INFERENCE):
            raise GatewayError(
                ErrorCode.FORBIDDEN, f"this key has the role {key.role}; inference takes the role inference"
            )


def rules(key: Key | None) -> None:
    """Raises GatewayError FORBIDDEN unless it is an admin's of every model: a worker's settings touch all.

    Without identity there is no key, and everybody may.
    """
    if key is not None and not (key.wide and key.may(KeyRole.ADMIN)):
        raise GatewayError(ErrorCode.FORBIDDEN, "this takes the role admin, for every model")


@dataclass(frozen=True, slots=True)
class Scoped:
    """Routes as one key sees them: other models do not exist. Implements `ports.Routes`."""

    routes: Routes
    key: Key

    @property
    def table(self) -> RouteTable:
        table = self.routes.table
        if self.key.wide:
            return table
        seen = {name: route for name, route in table.models.items() if self.key.covers(name)}
        return RouteTable(table.generation, seen)

    @property
    def failed(self) -> Mapping[VersionKey, str]:
        return self.routes.failed

    def loaded(self, model: str, version: int) -> LoadedVersion | None:
        return self.routes.loaded(model, version)

    async def load(self, model: str, version: int, deadline_ns: int) -> LoadedVersion:
        return await self.routes.load(model, version, deadline_ns)
