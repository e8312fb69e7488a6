"""`Idempotency-Key`: a change that is asked for again is done once, and answered as it was the first time.

Must never carry out a change whose outcome under the same key is not known, and never keep a secret.
"""

import asyncio
import hashlib
import re
import time
from tempfile import SpooledTemporaryFile

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lifecycle.api.body import Body
from lifecycle.api.status import error_response
from lifecycle.core.asked import Asked
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Requests

MAX_KEPT = 1 << 20
"""Bytes of an answer; a longer one is not kept."""
IN_MEMORY = 1 << 20
"""Bytes of a request's body; a longer one lies on disk while it is carried out."""
_KEY = re.compile(r"[!-~]{1,200}")
_CHANGES = ("POST", "PUT", "DELETE", "PATCH")
_CONDITIONS = ("if-match", "x-headrace-override")
"""Headers that say whether a change may be made at all: with another one it is another request."""


class Idempotency:
    """ASGI middleware. Stands behind whoever asks for identity: keys belong to their callers."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app = app
        self._requests = requests
        self._running: dict[tuple[str, str], str] = {}
        """Fingerprints of the requests that are being carried out, by caller and key."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = Headers(scope=scope).get("idempotency-key") if scope["type"] == "http" else None
        if key is None or scope["method"] not in _CHANGES:
            await self._app(scope, receive, send)
            return
        try:
            response = await self._once(scope, receive, send, key)
        except LifecycleError as error:
            response = error_response(error.code, error.message)
        if response is not None:
            await response(scope, receive, send)

    async def _once(self, scope: Scope, receive: Receive, send: Send, key: str) -> Response | None:
        """The answer, or None if it has been sent."""
        if not _KEY.fullmatch(key):
            message = "an Idempotency-Key has 1 to 200 printable characters and no blanks"
            raise LifecycleError(LifecycleCode.INVALID, message)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            body = Body(file, Headers(scope=scope).get("content-type", ""))
            if not await body.read(receive):
                return None  # nobody is left to answer, and half of a request is none
            place, fingerprint = (_caller(scope), key), _fingerprint(scope, body.digest())
            if place in self._running:
                return _again(Asked(self._running[place]), fingerprint, running=True)
            self._running[place] = fingerprint
            try:
                found = await asyncio.to_thread(self._requests.ask, *place, fingerprint, time.time())
                if found is not None:
                    return _again(found, fingerprint, running=False)
                await self._carry_out(scope, body.again(receive), send, place, fingerprint)
            finally:
                del self._running[place]
            return None

    async def _carry_out(
        self, scope: Scope, receive: Receive, send: Send, place: tuple[str, str], fingerprint: str
    ) -> None:
        told: list[Message] = []

        async def note(message: Message) -> None:
            told.append(message)

        try:
            await self._app(scope, receive, note)
        except Exception:
            await asyncio.to_thread(self._requests.forget, *place)
            raise
        start = told[0]
        headers, status = Headers(raw=start["headers"]), int(start["status"])
        text = b"".join(message.get("body", b"") for message in told[1:])
        secret = "no-store" in headers.get("cache-control", "")
        if status >= 500:
            await asyncio.to_thread(self._requests.forget, *place)
        else:
            kept = None if secret or len(text) > MAX_KEPT else text.decode()
            answer = Asked(fingerprint, status, headers.get("etag"), kept)
            # Before it is sent: an answer that a caller saw must be the answer for good.
            await asyncio.to_thread(self._requests.answer, *place, answer)
        for message in told:
            await send(message)


def _again(asked: Asked, fingerprint: str, running: bool) -> Response:
    if asked.fingerprint != fingerprint:
        raise _conflict("this Idempotency-Key was used for another request; take a new one")
    if running:
        raise _conflict("the request with this Idempotency-Key is being carried out; ask again in a moment")
    if asked.status is None:
        message = (
            "it is not known what became of the request with this Idempotency-Key; look, then use a new one"
        )
        raise _conflict(message)
    if asked.body is None:
        raise _conflict("the request with this Idempotency-Key was carried out; its answer is not kept")
    response = Response(asked.body, asked.status, media_type="application/json")
    headers = MutableHeaders(raw=response.raw_headers)
    headers["idempotency-replayed"] = "true"
    if asked.etag:
        headers["etag"] = asked.etag
    return response


def _fingerprint(scope: Scope, body: str) -> str:
    headers = Headers(scope=scope)
    said = [scope["method"], scope["path"], scope["query_string"].decode("latin-1"), body]
    said += [headers.get(name, "") for name in _CONDITIONS]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()


def _caller(scope: Scope) -> str:
    key = scope.get("state", {}).get("key")
    return key.name if key is not None else Headers(scope=scope).get("x-headrace-actor", "local")


def _conflict(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.CONFLICT, message)
