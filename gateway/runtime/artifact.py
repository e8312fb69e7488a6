"""Bytes by digest: read from any URI once, kept in a local cache, never used unverified."""

import contextlib
import hashlib
import logging
import re
import secrets
from pathlib import Path
from typing import Any

import fsspec
from fsspec.utils import get_protocol

from gateway.errors import ErrorCode, GatewayError

log = logging.getLogger(__name__)

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_PATIENCE: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 5, "read_timeout": 20, "retries": {"max_attempts": 0}}}
}
"""Of stores that can hang: one attempt, which s3fs makes a few times. Their defaults multiply to an hour."""


def patience(uri: str) -> dict[str, Any]:
    """What to open a URI with, so that a store that hangs is given up in a minute or two."""
    return _PATIENCE.get(get_protocol(uri), {})


def digest_of(data: bytes) -> str:
    """`sha256:<hex>` of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class ArtifactCache:
    """Files named by their digest. Many processes may share the directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, uri: str, digest: str) -> bytes:
        """The bytes with this digest, from the cache or else from the URI (or plain path). Blocks.

        Raises:
            GatewayError: INTERNAL if they cannot be read or hash to something else.
        """
        if not _DIGEST.fullmatch(digest):
            raise GatewayError(ErrorCode.INTERNAL, "the artifact's digest is not of the form sha256:<hex>")
        held = self._directory / digest.removeprefix("sha256:")
        try:
            data = held.read_bytes()
        except OSError:
            pass
        else:
            if digest_of(data) == digest:
                return data
        data = _fetch(uri)
        if digest_of(data) != digest:
            raise GatewayError(ErrorCode.INTERNAL, "the artifact was altered: it has another digest")
        self._keep(held, data)
        return data

    def _keep(self, held: Path, data: bytes) -> None:
        # A rename is atomic, so no reader ever sees half a file. A cache that cannot be written to
        # costs a fetch per load, not the load.
        partial = held.with_suffix(f".{secrets.token_hex(4)}")
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
            partial.replace(held)
        except OSError as error:
            log.warning("the artifact cache cannot be written: %s", error)
            with contextlib.suppress(OSError):
                partial.unlink()


def _fetch(uri: str) -> bytes:
    try:
        with fsspec.open(uri, "rb", **patience(uri)) as file:
            return file.read()
    except Exception as error:  # each kind of store has its own family of errors
        log.warning("an artifact cannot be read: %s", error)
        raise GatewayError(ErrorCode.INTERNAL, "the artifact cannot be read from where it is kept") from None
