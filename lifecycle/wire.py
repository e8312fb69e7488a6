"""The SDK's connection: calls, and what is made of an answer that is none, or a failure, or a stranger's."""

import os
from collections.abc import Iterator, Mapping
from typing import Any, cast

import httpx

from lifecycle.errors import LifecycleCode, LifecycleError

DEFAULT_URL = "http://127.0.0.1:8002"

Json = dict[str, Any]


class Wire:
    """A connection to one admin API. Every method raises LifecycleError: its own, or UNAVAILABLE."""

    def __init__(
        self, url: str, actor: str, key: str | None, timeout_s: float, transport: httpx.BaseTransport | None
    ) -> None:
        headers = {"x-headrace-actor": actor}
        if secret := os.environ.get("HEADRACE_KEY", "") if key is None else key:
            headers["authorization"] = f"Bearer {secret}"
        try:
            self._http = httpx.Client(
                base_url=url, headers=headers, timeout=timeout_s, transport=transport, trust_env=False
            )
        except httpx.InvalidURL:
            raise LifecycleError(LifecycleCode.INVALID, f"{url!r} is not a URL") from None
        self._url = url

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Json:
        given = {key: value for key, value in (params or {}).items() if value is not None}
        return self.call("GET", path, params=given)

    def call(self, method: str, path: str, **request: Any) -> Json:
        try:
            answer = self._http.request(method, path, **request)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise unreachable(self._url, error) from None
        if answer.is_error:
            raise rebuilt(answer)
        try:
            return cast(Json, answer.json())
        except ValueError:
            raise stranger(answer) from None

    def lines(self, path: str, params: Mapping[str, str]) -> Iterator[str]:
        """The lines of an answer that has no end, as they come."""
        try:
            with self._http.stream("GET", path, params=params, timeout=30.0) as answer:
                if answer.is_error:
                    answer.read()
                    raise rebuilt(answer)
                yield from answer.iter_lines()
        except httpx.TransportError as error:
            raise unreachable(self._url, error) from None


def unreachable(url: str, error: Exception) -> LifecycleError:
    if isinstance(error, httpx.TimeoutException):
        message = f"{url} did not answer in time; look at it with `headrace status`"
    elif isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
        message = f"{url!r} is not a URL this can call; it looks like {DEFAULT_URL}"
        return LifecycleError(LifecycleCode.INVALID, message)
    elif "CERTIFICATE" in str(error):
        message = f"{url} and this client do not trust each other; see HEADRACE_TLS_CA, HEADRACE_TLS_CERT"
    else:
        message = f"no headrace answers at {url}: start one with `headrace up`"
    return LifecycleError(LifecycleCode.UNAVAILABLE, message)


def rebuilt(answer: httpx.Response) -> LifecycleError:
    try:
        error = answer.json()["error"]
        return LifecycleError(LifecycleCode(error["code"]), str(error["message"]))
    except (ValueError, KeyError, TypeError):
        return stranger(answer)


def stranger(answer: httpx.Response) -> LifecycleError:
    message = f"{answer.request.url.host} answered {answer.status_code}, not as headrace does; check the URL"
    return LifecycleError(LifecycleCode.UNAVAILABLE, message)
