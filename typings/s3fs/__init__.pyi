"""The part of s3fs that is used here."""

from typing import Any

from fsspec import AbstractFileSystem

class S3FileSystem(AbstractFileSystem):
    @classmethod
    def clear_instance_cache(cls) -> None: ...
    def call_s3(self, method: str, **arguments: object) -> dict[str, Any]: ...
