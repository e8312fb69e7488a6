"""How much a request may say that is held in memory: whoever may only look could take all of it else."""

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lifecycle.errors import LifecycleCode, LifecycleError

MOST_BYTES = 256 << 20
_FILES = re.compile(r"/v1/models/[^/]+/(versions|holdout)")
"""Where a form may bring files, which are kept on the disk and have limits of their own."""


class Bounded:
    """ASGI middleware. Reading on raises LifecycleError INVALID once a body is too long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BYTES:
                reason = f"a request may have {MOST_BYTES >> 20} MiB at most; send what it says in parts"
                raise LifecycleError(LifecycleCode.INVALID, reason)
            return message

        await self._app(scope, receive if _brings_files(scope) else bounded, send)


def _brings_files(scope: Scope) -> bool:
    if scope["type"] != "http" or not _FILES.fullmatch(scope["path"]):
        return False
    return Headers(scope=scope).get("content-type", "").lower().startswith("multipart/form-data")
