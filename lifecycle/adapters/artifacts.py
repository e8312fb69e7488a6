"""Artifacts by digest, on anything fsspec reaches. A file, once stored, is never changed or moved.

The layout is `<root>/sha256/<first two digits>/<digest>`; workers read the same URIs.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import IO

from lifecycle.adapters.folder import Silence, is_local, named_failures, open_folder
from lifecycle.core.governance.retention import StoredFile
from lifecycle.errors import LifecycleCode, LifecycleError

CHUNK = 1 << 20


class FileArtifacts:
    """Implements `ports.Artifacts`.

    Args:
        root_uri: a folder as a path or an fsspec URI, e.g. `s3://bucket/headrace`. Who may read it, and
            where it is if not at Amazon, say the environment's `AWS_...` variables.
        cache_dir: where fetched files are kept; not used when the root is a local folder.

    Raises:
        LifecycleError: INVALID if nothing reaches such a URI; from every method, UNAVAILABLE if the store
            fails.
    """

    def __init__(self, root_uri: str, cache_dir: Path) -> None:
        self._fs, self._root = open_folder(root_uri, "artifacts")
        self._silence = Silence()
        self._local = is_local(self._fs)
        self._cache = cache_dir
        self._replacing = Lock()

    def put(self, source: Path) -> tuple[str, str]:
        # The digest is known only once the bytes are written; the rename then makes them appear whole.
        part = f"{self._root}/incoming/{secrets.token_hex(8)}"
        try:
            with self._silence.heeded("an artifact cannot be stored"):
                digest, uri = self._put(source, part)
        except BaseException:
            # What went wrong first is what counts.
            with contextlib.suppress(Exception), self._silence.heeded("a part cannot be removed"):
                self._fs.rm_file(part)
            raise
        if not self._local:
            # It is read here next, and what is judged every second must not wait for a store that is away.
            self._cached(digest, lambda copy: shutil.copyfile(source, copy))
        return uri, f"sha256:{digest}"

    def _put(self, source: Path, part: str) -> tuple[str, str]:
        self._fs.makedirs(f"{self._root}/incoming", exist_ok=True)
        with source.open("rb") as data, self._fs.open(part, "wb") as out:
            hashed = hashlib.sha256()
            for chunk in _chunks(data):
                hashed.update(chunk)
                out.write(chunk)
            if self._local:
                out.flush()
                os.fsync(out.fileno())
        digest = hashed.hexdigest()
        path = f"{self._root}/{_place(digest)}"
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        if self._local:
            os.utime(part)  # as old as this moment, whatever the writing took
        with self._replacing:
            self._fs.mv(part, path)
        return digest, self._fs.unstrip_protocol(path)

    def held(self, digest: str) -> bool:
        return self._local or (self._cache / _place(digest.removeprefix("sha256:"))).exists()

    def fetch(self, uri: str, digest: str) -> Path:
        doing = "an artifact cannot be read"
        with named_failures(doing) if self.held(digest) else self._silence.heeded(doing):
            return self._fetch(uri, digest)

    def stored(self) -> Iterator[StoredFile]:
        with self._silence.heeded("artifacts cannot be listed"), contextlib.suppress(FileNotFoundError):
            self._fs.invalidate_cache()
            yield from [
                StoredFile(f"sha256:{Path(path).name}", int(self._fs.size(path)), self._stored_at(path))
                for path in self._fs.find(f"{self._root}/sha256")
            ]

    def remove(self, digest: str, before: float) -> bool:
        place = _place(digest.removeprefix("sha256:"))
        path = f"{self._root}/{place}"
        with self._silence.heeded("an artifact cannot be removed"):
            try:
                with self._replacing:
                    self._fs.invalidate_cache()
                    if self._stored_at(path) >= before:
                        return False
                    self._fs.rm_file(path)
            except FileNotFoundError:
                return False
            (self._cache / place).unlink(missing_ok=True)
        return True

    def _stored_at(self, path: str) -> float:
        return float(self._fs.modified(path).timestamp())

    def _fetch(self, uri: str, digest: str) -> Path:
        algorithm, _, wanted = digest.partition(":")
        if algorithm != "sha256" or not wanted:
            raise LifecycleError(LifecycleCode.REFUSED, f"{digest!r} is not a SHA-256 digest")
        remote = self._fs._strip_protocol(uri)
        path = Path(remote) if self._local else self._cache / _place(wanted)
        if not self._local and not path.exists():
            self._cached(wanted, lambda copy: self._fs.get_file(remote, str(copy)))
        if _digest(path) != wanted:
            if not self._local:
                path.unlink(missing_ok=True)
            raise LifecycleError(
                LifecycleCode.REFUSED, "the stored artifact no longer matches its digest; register it again"
            )
        return path

    def _cached(self, digest: str, fill: Callable[[Path], object]) -> None:
        path = self._cache / _place(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            fill(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _place(digest: str) -> str:
    return f"sha256/{digest[:2]}/{digest}"


def _chunks(data: IO[bytes]) -> Iterator[bytes]:
    while chunk := data.read(CHUNK):
        yield chunk


def _digest(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
