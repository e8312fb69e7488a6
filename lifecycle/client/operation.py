"""A word of the SDK as a value: what to send, and how one description serves both clients."""

from collections.abc import Awaitable, Callable, Mapping
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload
from urllib.parse import quote

from lifecycle.client.wire import AsyncConnection, Call, Connection, Json

P = ParamSpec("P")
T = TypeVar("T")

LONG_S = 1800.0
"""Validation and deployment answer when they are done."""

VersionName = int | str
"""A version's number or one of its aliases."""


class Operation(Generic[P, T]):
    """A method that says what to send; the client that it is called on sends it, at once or awaited."""

    def __init__(self, says: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self._says = says
        self.__doc__ = says.__doc__

    @overload
    def __get__(self, client: Connection, owner: object) -> Callable[P, T]: ...

    @overload
    def __get__(self, client: AsyncConnection, owner: object) -> Callable[P, Awaitable[T]]: ...

    def __get__(self, client: Any, owner: object) -> Any:
        if client is None:
            return self

        def sent(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.send(self._says(client, *args, **kwargs))

        return update_wrapper(sent, self._says)


def whole(answer: Json) -> Json:
    return answer


def get(path: str, query: Mapping[str, Any] | None = None) -> Call[Json]:
    return Call("GET", path, whole, query or {})


def listed(path: str, name: str, query: Mapping[str, Any] | None = None) -> Call[list[Json]]:
    return Call("GET", path, lambda answer: cast(list[Json], answer[name]), query or {})


def send(method: str, path: str, **request: Any) -> Call[Json]:
    return Call(method, path, whole, **request)


def at(*parts: str | int) -> str:
    return "/v1/models/" + "/".join(quote(str(part), safe="") for part in parts)
