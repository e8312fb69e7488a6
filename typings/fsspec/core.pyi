"""The part of fsspec.core that is used here."""

from collections.abc import Mapping

from fsspec import AbstractFileSystem

def url_to_fs(url: str, **options: Mapping[str, object]) -> tuple[AbstractFileSystem, str]: ...
