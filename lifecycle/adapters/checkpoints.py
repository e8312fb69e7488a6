"""Checkpoints as small files on anything fsspec reaches, signed with the controller's Ed25519 key.

A file, once written, is never changed. Keep the folder where who writes the database cannot: an object store
with versions, or another machine. The private key never leaves its file.
"""

import json
import os
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lifecycle.adapters.folder import Silence, is_local, open_folder
from lifecycle.core.governance.checkpoint import Checkpoint, Kept, Statement
from lifecycle.errors import LifecycleCode, LifecycleError

PRIVATE, PUBLIC = "ledger.key", "ledger.pub"


class FileCheckpoints:
    """Implements `ports.Checkpoints`.

    Args:
        uri: a folder as a path or an fsspec URI, e.g. `s3://bucket/checkpoints`.
        key: public key that files are checked with, in hexadecimal.
        signer: its private half; without it nothing can be added.
    """

    def __init__(self, uri: str, key: str, signer: Ed25519PrivateKey | None = None) -> None:
        self._fs, self._root = open_folder(uri, "checkpoints")
        self._silence = Silence()
        self._key = read_key(key)
        self._signer = signer

    @property
    def key(self) -> str:
        return self._key.public_bytes_raw().hex()

    def add(self, statement: Statement) -> None:
        if self._signer is None:
            raise LifecycleError(LifecycleCode.REFUSED, "without its private key no checkpoint can be signed")
        checkpoint = Checkpoint(statement, self._signer.sign(statement.message()).hex())
        # The hash is part of the name: should the ledger be rewritten, the older statement stays beside.
        path = f"{self._root}/{statement.head.seq:012d}-{statement.head.hash[:12]}.json"
        with self._silence.heeded("a ledger checkpoint cannot be stored"):
            if not self._fs.exists(path):
                self._write(path, orjson.dumps(checkpoint.as_json()))

    def _write(self, path: str, data: bytes) -> None:
        """All of a file or none of it. Needs no more of an object store than a put: it may be write-once."""
        if not is_local(self._fs):
            self._fs.pipe_file(path, data)
            return
        part = f"{path}.part"
        self._fs.makedirs(self._root, exist_ok=True)
        with self._fs.open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._fs.mv(part, path)

    def read(self) -> Kept:
        with self._silence.heeded("the ledger's checkpoints cannot be read"):
            self._fs.invalidate_cache()
            paths = sorted(self._fs.glob(f"{self._root}/*.json"))
            found = {path.rpartition("/")[2]: self._checked(path) for path in paths}
        genuine = sorted((one for one in found.values() if one), key=lambda one: one.statement.at)
        return Kept(tuple(genuine), tuple(name for name, one in found.items() if one is None))

    def _checked(self, path: str) -> Checkpoint | None:
        try:
            checkpoint = Checkpoint.from_json(json.loads(self._fs.cat_file(path)))
            self._key.verify(bytes.fromhex(checkpoint.signature), checkpoint.statement.message())
        except (InvalidSignature, KeyError, TypeError, ValueError):
            return None
        return checkpoint


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The private key in a folder; made on the first call, readable by its owner only."""
    path = folder / PRIVATE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        part = path.with_name(f"{PRIVATE}.part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key.private_bytes_raw().hex())
            file.flush()
            os.fsync(file.fileno())
        (folder / PUBLIC).write_text(public_text(key))
        part.replace(path)
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text()))
    except ValueError:
        raise LifecycleError(LifecycleCode.REFUSED, f"{PRIVATE} in the home's keys is damaged") from None


def public_text(key: Ed25519PrivateKey) -> str:
    """Its public half, in hexadecimal: what people write down."""
    return key.public_key().public_bytes_raw().hex()


def read_key(text: str) -> Ed25519PublicKey:
    """Raises LifecycleError INVALID if the text is no public key."""
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text.strip()))
    except ValueError:
        message = "a ledger key has 64 hexadecimal digits; `headrace audit key` prints it"
        raise LifecycleError(LifecycleCode.INVALID, message) from None
