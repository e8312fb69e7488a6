"""The part of fsspec.core that is used here."""

from fsspec import AbstractFileSystem

def url_to_fs(url: str) -> tuple[AbstractFileSystem, str]: ...
