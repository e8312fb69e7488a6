"""Signed packages: made and checked with the OpenSSF Model Signing format, with keys at hand and no network.

A signature covers names and bytes of all files of a package. What is checked is a private copy whose bytes
have the digest that the registry keeps and every worker asks for, so nothing can be swapped after the check.
"""

import base64
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from lifecycle.errors import LifecycleCode, LifecycleError

MOST_BYTES = 1 << 20
"""Of a signature file."""
_CHUNK = 1 << 20
_LONGEST = 255
"""Bytes of a file's name."""
_WHOLE = {"."}
"""How the format names the one file of a package that is a single file."""


def sign(
    package: Path, signature: Path, key: Path, certificate: Path | None = None, chain: Sequence[Path] = ()
) -> None:
    """Sign a file under its name.

    Args:
        signature: where the signature is written.
        key: private key in PEM, on one of the curves P-256, P-384 and P-521.
        certificate: of that key, in PEM; it then goes into the signature, with its `chain`.

    Raises:
        LifecycleError: INVALID if a file cannot be read or is no such key or certificate.
    """
    from model_signing import signing

    config = signing.Config()
    try:
        if certificate is None:
            config.use_elliptic_key_signer(private_key=key)
        else:
            config.use_certificate_signer(
                private_key=key, signing_certificate=certificate, certificate_chain=chain or [certificate]
            )
        with _copied(package, package.name) as (copy, _):
            config.sign(copy.parent, signature)
    except OSError as error:
        raise LifecycleError(LifecycleCode.INVALID, f"cannot sign: {error}") from None
    except (TypeError, ValueError) as error:
        message = f"cannot sign with {key.name}: {error}"
        raise LifecycleError(LifecycleCode.INVALID, message) from None


def verify(package: Path, digest: str, name: str, signature: Path, trusted: Sequence[Path]) -> Path:
    """Which of the trusted keys or certificates a package is signed with.

    Args:
        digest: `sha256:<hex>` of the bytes that count.
        name: under which the file was signed; without folders.
        trusted: public keys, or certificates of authorities, in PEM.

    Raises:
        LifecycleError: REFUSED if it is signed by nobody trusted, or other files or bytes are.
    """
    named = _names(signature)
    if (
        name in ("", ".", "..")
        or Path(name).name != name
        or "\0" in name
        or len(os.fsencode(name)) > _LONGEST
    ):
        raise _refused("the file has no plain name")
    with _copied(package, name) as (copy, found):
        if f"sha256:{found}" != digest:
            raise _refused("the file was changed while it was looked at")
        target = copy if named == _WHOLE else copy.parent
        for signer in trusted:
            if _signed_by(signer, target, signature):
                return signer
    nobody = "no signer is trusted here: name some in `trusted` of `[governance]`, or of the model's"
    raise _refused("none of the trusted keys has signed it" if trusted else nobody)


def _signed_by(signer: Path, target: Path, signature: Path) -> bool:
    from model_signing import verifying

    config = verifying.Config()
    try:
        if b"CERTIFICATE" in signer.read_bytes():
            config.use_certificate_verifier(certificate_chain=[signer])
        else:
            config.use_elliptic_key_verifier(public_key=signer)
    except (OSError, TypeError, ValueError) as error:
        message = f"the trusted signer {signer.name} cannot be used: {error}"
        raise LifecycleError(LifecycleCode.UNAVAILABLE, message) from None
    try:
        config.verify(target, signature)
    except Exception as error:  # the library lets through whatever its parts raise
        if str(error).startswith("Signature mismatch"):
            raise _refused(_mismatch(error)) from None
        return False
    return True


def _mismatch(error: Exception) -> str:
    told = str(error)
    if "Hash mismatch" in told:
        return "its bytes are not those that were signed"
    return "the signature is for other files: " + told.partition(": ")[2]


def _names(signature: Path) -> set[str]:
    """Files that a signature is about. Nothing is trusted yet: it only says how the package is laid out."""
    try:
        if signature.stat().st_size > MOST_BYTES:
            raise _refused("the signature file is too large")
        payload = json.loads(signature.read_bytes())["dsseEnvelope"]["payload"]
        resources = json.loads(base64.b64decode(payload))["predicate"]["resources"]
        return {str(resource["name"]) for resource in resources}
    except (KeyError, TypeError, ValueError, RecursionError):
        raise _refused("the signature file is none of the OpenSSF Model Signing format") from None


@contextmanager
def _copied(package: Path, name: str) -> Iterator[tuple[Path, str]]:
    """A private copy alone in a folder, and the SHA-256 of what was copied."""
    with tempfile.TemporaryDirectory(prefix="headrace-signed-") as folder:
        copy, digest = Path(folder) / "package" / name, hashlib.sha256()
        copy.parent.mkdir()
        with package.open("rb") as source, copy.open("wb") as target:
            for chunk in iter(partial(source.read, _CHUNK), b""):
                digest.update(chunk)
                target.write(chunk)
        yield copy, digest.hexdigest()


def _refused(reason: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.REFUSED, f"the package's signature is refused: {reason}")
