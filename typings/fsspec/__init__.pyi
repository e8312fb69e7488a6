"""The part of fsspec that is used here."""

from contextlib import AbstractContextManager
from typing import IO, Literal, overload

@overload
def open(urlpath: str, mode: Literal["rb", "wb"]) -> AbstractContextManager[IO[bytes]]: ...
@overload
def open(urlpath: str, mode: Literal["r", "w"]) -> AbstractContextManager[IO[str]]: ...
