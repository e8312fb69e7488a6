"""Asks every request for its key, before its body is read. The law is `lifecycle.core.governance.access`."""

import asyncio
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.core.keys import SUBJECT, Key, secret_in, uncertified
from gateway.core.throttle import BadKeys
from lifecycle.api.status import error_response
from lifecycle.commands.governance.keys import Keys
from lifecycle.core.governance.access import need
from lifecycle.errors import LifecycleCode, LifecycleError


class Identity:
    """ASGI middleware. Leaves the caller's key in `request.state.key`.

    Args:
        certificates: whether the edge verifies client certificates and says whose each is.
    """

    def __init__(self, app: ASGIApp, keys: Keys, certificates: bool = False) -> None:
        self._app = app
        self._certificates = certificates
        self._keys = keys
        self._bad = BadKeys()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            key = await self._admitted(scope)
        except LifecycleError as error:
            headers = {"www-authenticate": "Bearer"} if error.code is LifecycleCode.UNAUTHENTICATED else None
            await error_response(error.code, error.message, headers=headers)(scope, receive, send)
            return
        if key is not None:
            scope.setdefault("state", {})["key"] = key
        await self._app(scope, receive, send)

    async def _admitted(self, scope: Scope) -> Key | None:
        wanted = need(scope["method"], scope["path"])
        if wanted.role is None:
            return None
        key = await self._caller(scope)
        if wanted.model and not key.covers(wanted.model):
            raise LifecycleError(LifecycleCode.NOT_FOUND, f"there is no model {wanted.model!r}")
        if not key.may(wanted.role):
            message = f"the key {key.name!r} has the role {key.role}; this takes the role {wanted.role}"
            raise LifecycleError(LifecycleCode.FORBIDDEN, message)
        if wanted.wide and not key.wide:
            message = f"the key {key.name!r} is for some models only; this is about all of them"
            raise LifecycleError(LifecycleCode.FORBIDDEN, message)
        return key

    async def _caller(self, scope: Scope) -> Key:
        headers = Headers(scope=scope)
        secret = secret_in(headers.get("authorization", ""), headers.get("x-api-key", ""))
        subject = headers.get(SUBJECT, "") if self._certificates else ""
        if not secret and not subject:
            message = "a key is needed: set HEADRACE_KEY; `headrace key create` makes one"
            raise LifecycleError(LifecycleCode.UNAUTHENTICATED, message)
        find = self._keys.find if secret else self._keys.find_subject
        key = await asyncio.to_thread(find, secret or subject)
        if key is not None:
            return key
        address = scope["client"][0] if scope.get("client") else ""
        if self._bad.note(address, time.monotonic()):
            message = "too many bad keys from this address; wait a minute"
            raise LifecycleError(LifecycleCode.THROTTLED, message)
        message = "this key is unknown, expired or revoked" if secret else uncertified(subject)
        raise LifecycleError(LifecycleCode.UNAUTHENTICATED, message)
