"""A request's body, taken in whole before anybody acts on it: its digest, and the body once more."""

import hashlib
import re
from typing import IO

from starlette.types import Message, Receive

from lifecycle.api.status import full

_PART = 1 << 18
_BOUNDARY = re.compile(r'multipart/[^;]+;.*boundary="?([^";]+)"?', re.IGNORECASE)


class Body:
    """One request's body, kept in a file.

    Args:
        file: empty; the body is written there.
        content_type: the request's header. Clients part a form by another boundary each time, so the digest
            leaves that out: the same form has the same digest.
    """

    def __init__(self, file: IO[bytes], content_type: str) -> None:
        found = _BOUNDARY.match(content_type)
        self._boundary = found[1].encode("latin-1") if found else b""
        self._file = file
        self._digest = hashlib.sha256()
        self._tail = b""
        self._left = 0

    async def read(self, receive: Receive) -> bool:
        """Whether it came whole; False if the caller went away first.

        Raises LifecycleError UNAVAILABLE if the disk takes no more.
        """
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return False
            part = message.get("body", b"")
            self._note(part)
            try:
                self._file.write(part)
            except OSError as error:
                raise full(error) from error
            self._left += len(part)
            more = message.get("more_body", False)
        self._file.seek(0)
        return True

    def digest(self) -> str:
        """SHA-256 of what was read, in hexadecimal."""
        whole = self._digest.copy()
        whole.update(self._tail)
        return whole.hexdigest()

    def again(self, receive: Receive) -> Receive:
        """As ASGI gives a body; behind it comes whatever `receive` has."""

        async def give() -> Message:
            if self._left < 0:
                return await receive()
            part = self._file.read(_PART)
            self._left = self._left - len(part) or -1
            return {"type": "http.request", "body": part, "more_body": self._left > 0}

        return give

    def _note(self, part: bytes) -> None:
        if not self._boundary:
            self._digest.update(part)
            return
        # A boundary may be cut in two by the parts, so as much as could be half of one waits.
        seen = (self._tail + part).replace(self._boundary, b"")
        end = max(len(seen) - len(self._boundary) + 1, 0)
        self._digest.update(seen[:end])
        self._tail = seen[end:]
