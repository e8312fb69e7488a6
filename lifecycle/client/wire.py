"""How the SDK's words travel: a call as a value, the connections that send it, and what may come back."""

import copy
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Generic, NoReturn, Self, TypeVar, cast
from uuid import uuid4

import httpx

from lifecycle.errors import LifecycleCode, LifecycleError

DEFAULT_URL = "http://127.0.0.1:8002"

Json = dict[str, Any]
_BROKEN = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""The connection ended before the answer came: what was asked for may or may not have happened."""
T = TypeVar("T")


class Told(dict[str, Any]):
    """An object in an answer. Controllers of other releases tell other fields."""

    def __missing__(self, name: str) -> NoReturn:
        message = (
            f"the controller does not tell {name!r}: its release is another than this command's, as a rule "
            "an older one. `headrace upgrade`, or `headrace down` and `up`, has it run the installed one"
        )
        raise LifecycleError(LifecycleCode.INTERNAL, message)


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request to the admin API.

    Args:
        reads: makes the result of the answer's JSON.
        query: parameters; those that are None are left out.
        files: parts of a form that are read from disk, beside `data`.
        timeout_s: for the answer; None for the connection's own.
    """

    method: str
    path: str
    reads: Callable[[Json], T]
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    content: Path | None = None
    data: Mapping[str, str | list[str]] | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    timeout_s: float | None = None

    def request(self, opened: ExitStack) -> dict[str, Any]:
        """As httpx takes it. Raises LifecycleError INVALID for a file that cannot be read."""
        made: dict[str, Any] = {
            "params": {key: value for key, value in self.query.items() if value is not None},
            "json": self.json,
            "data": self.data,
        }
        if self.content is not None:
            made["content"] = opened.enter_context(_open(self.content)).read()
        if self.files:
            parts = self.files.items()
            made["files"] = {part: (path.name, opened.enter_context(_open(path))) for part, path in parts}
        return made if self.timeout_s is None else made | {"timeout": self.timeout_s}

    def once(self, revision: int | None) -> dict[str, str]:
        """Headers of a change: a key under which it is carried out once, however often it is sent, and the
        revision that it is for. Those of what only reads have neither.
        """
        if self.method == "GET":
            return {**self.headers}
        condition = {} if revision is None else {"if-match": f'"{revision}"'}
        return {"idempotency-key": uuid4().hex, **condition, **self.headers}

    def result(self, answer: httpx.Response) -> T:
        if answer.is_error:
            raise rebuilt(answer)
        try:
            found = cast(Json, answer.json(object_hook=Told))
        except ValueError:
            raise stranger(answer) from None
        return self.reads(found)


class Conditional:
    """What both connections have: changes that depend on what their caller saw."""

    _revision: int | None = None

    def at_revision(self, revision: int | None) -> Self:
        """This client, whose changes go ahead only while their model is at a revision, else raise STALE.

        None asks for nothing. Both share the connection: close either one.
        """
        held = copy.copy(self)
        held._revision = revision
        return held


class Connection(Conditional):
    """Sends calls and waits for the answers.

    Raises LifecycleError: the answer's own, INVALID for a URL or certificate that cannot do, or UNAVAILABLE.
    """

    def __init__(
        self,
        url: str,
        *,
        actor: str,
        key: str | None,
        override: str,
        timeout_s: float,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self.url = url.rstrip("/")
        with _sound(url):
            self._http = httpx.Client(
                base_url=self.url,
                headers=_headers(actor, key, override),
                timeout=timeout_s,
                transport=transport,
                trust_env=False,
            )

    def close(self) -> None:
        self._http.close()

    def send(self, call: Call[T]) -> T:
        headers = call.once(self._revision)
        with _answered(self.url):
            try:
                answer = self._ask(call, headers)
            except _BROKEN:
                answer = self._ask(call, headers)
        return call.result(answer)

    def _ask(self, call: Call[T], headers: Mapping[str, str]) -> httpx.Response:
        with ExitStack() as opened:
            return self._http.request(call.method, call.path, headers=headers, **call.request(opened))

    def lines(self, path: str, params: Mapping[str, str]) -> Iterator[str]:
        """The lines of an answer that has no end, as they come."""
        with _answered(self.url), self._http.stream("GET", path, params=params, timeout=30.0) as answer:
            if answer.is_error:
                answer.read()
                raise rebuilt(answer)
            yield from answer.iter_lines()


class AsyncConnection(Conditional):
    """Like `Connection`, in an event loop."""

    def __init__(
        self,
        url: str,
        *,
        actor: str,
        key: str | None,
        override: str,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self.url = url.rstrip("/")
        with _sound(url):
            self._http = httpx.AsyncClient(
                base_url=self.url,
                headers=_headers(actor, key, override),
                timeout=timeout_s,
                transport=transport,
                trust_env=False,
            )

    async def close(self) -> None:
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        headers = call.once(self._revision)
        with _answered(self.url):
            try:
                answer = await self._ask(call, headers)
            except _BROKEN:
                answer = await self._ask(call, headers)
        return call.result(answer)

    async def _ask(self, call: Call[T], headers: Mapping[str, str]) -> httpx.Response:
        with ExitStack() as opened:
            return await self._http.request(call.method, call.path, headers=headers, **call.request(opened))

    async def lines(self, path: str, params: Mapping[str, str]) -> AsyncIterator[str]:
        with _answered(self.url):
            async with self._http.stream("GET", path, params=params, timeout=30.0) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise rebuilt(answer)
                async for line in answer.aiter_lines():
                    yield line


@contextmanager
def _answered(url: str) -> Iterator[None]:
    try:
        yield
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise unreachable(url, error) from None


@contextmanager
def _sound(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.InvalidURL:
        raise LifecycleError(LifecycleCode.INVALID, f"{url!r} is not a URL") from None


def _headers(actor: str, key: str | None, override: str) -> dict[bytes, bytes]:
    """In UTF-8, as names and reasons are written; a line's end, of a key from a file, would end a header."""
    secret = (os.environ.get("HEADRACE_KEY", "") if key is None else key).strip()
    headers = {
        b"x-headrace-actor": actor,
        b"authorization": f"Bearer {secret}" if secret else "",
        b"x-headrace-override": override,
    }
    return {name: " ".join(value.split()).encode() for name, value in headers.items() if value}


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise LifecycleError(LifecycleCode.INVALID, f"cannot read {path}: {error.strerror}") from None


def unreachable(url: str, error: Exception) -> LifecycleError:
    """What a connection that failed means, and what to do."""
    if isinstance(error, httpx.TimeoutException):
        message = f"{url} did not answer in time; look at it with `headrace status`"
    elif isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        message = f"{url!r} is not a URL this can call; it looks like {DEFAULT_URL}"
        return LifecycleError(LifecycleCode.INVALID, message)
    elif isinstance(cause := _root(error), ssl.SSLCertVerificationError):
        message = (
            f"the certificate of {url} is not trusted ({cause.verify_message}): HEADRACE_TLS_CA names its "
            "CA, and the URL a host that it is for"
        )
        return LifecycleError(LifecycleCode.INVALID, message)
    elif "CERTIFICATE" in str(error):
        message = f"{url} asks for a certificate that it trusts; set HEADRACE_TLS_CERT and HEADRACE_TLS_KEY"
        return LifecycleError(LifecycleCode.INVALID, message)
    elif "[SSL" in str(error):
        message = f"what answers at {url} speaks no TLS; try http:// in place of https://"
    elif isinstance(error, httpx.RemoteProtocolError | httpx.ReadError) and url.startswith("http:"):
        message = f"{url} hung up: it may have TLS, so try https:// in place of http://, or it is ending"
    elif isinstance(cause, socket.gaierror):
        message = f"the host of {url} is not known; check the URL"
    else:
        message = f"no headrace answers at {url}: start one with `headrace up`"
    return LifecycleError(LifecycleCode.UNAVAILABLE, message)


def _root(error: BaseException) -> BaseException:
    """The first of the errors that led to one."""
    while (earlier := error.__cause__ or error.__context__) is not None:
        error = earlier
    return error


def rebuilt(answer: httpx.Response) -> LifecycleError:
    """The error that the controller sent."""
    try:
        error = answer.json()["error"]
        return LifecycleError(LifecycleCode(error["code"]), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        return stranger(answer)


def stranger(answer: httpx.Response) -> LifecycleError:
    """For an answer that no controller gives."""
    message = (
        f"{answer.request.url.host} answered {answer.status_code}, not as headrace does; check the URL, "
        "which is that of the admin port (8002, unless set otherwise)"
    )
    return LifecycleError(LifecycleCode.UNAVAILABLE, message)
