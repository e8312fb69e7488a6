"""Signed packages: what is accepted, and everything that is not (HARDENING.md item 67)."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from model_signing import signing as library

from lifecycle import signing
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.signer import Signer


@pytest.fixture
def ann(tmp_path: Path) -> Signer:
    return Signer(tmp_path, "ann")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "fraud.onnx"
    path.write_bytes(b"a model")
    return path


@pytest.fixture
def signature(package: Path, ann: Signer, tmp_path: Path) -> Path:
    path = tmp_path / "fraud.sig"
    signing.sign(package, path, ann.key)
    return path


def digest(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(LifecycleError) as refused:
        act()
    assert refused.value.code is LifecycleCode.REFUSED
    return refused.value.message


def test_a_signed_package_is_known_by_its_key(
    package: Path, signature: Path, ann: Signer, tmp_path: Path
) -> None:
    trusted = [Signer(tmp_path, "bob").public, ann.public]
    assert signing.verify(package, digest(package), "fraud.onnx", signature, trusted) == ann.public


def test_a_signed_package_is_known_by_its_authority(package: Path, ann: Signer, tmp_path: Path) -> None:
    path = tmp_path / "by-certificate.sig"
    signing.sign(package, path, ann.key, ann.authority)
    assert signing.verify(package, digest(package), "fraud.onnx", path, [ann.authority]) == ann.authority
    other = Signer(tmp_path, "bob").authority
    assert "none of the trusted" in refusal(
        lambda: signing.verify(package, digest(package), "fraud.onnx", path, [other])
    )


def test_what_the_library_signs_as_a_single_file_is_accepted(
    package: Path, ann: Signer, tmp_path: Path
) -> None:
    path = tmp_path / "single.sig"
    library.Config().use_elliptic_key_signer(private_key=ann.key).sign(package, path)
    assert signing.verify(package, digest(package), "fraud.onnx", path, [ann.public]) == ann.public


def test_a_stranger_has_signed_it(package: Path, signature: Path, tmp_path: Path) -> None:
    stranger = Signer(tmp_path, "eve").public
    assert "none of the trusted keys" in refusal(
        lambda: signing.verify(package, digest(package), "fraud.onnx", signature, [stranger])
    )
    assert "no signer is trusted" in refusal(
        lambda: signing.verify(package, digest(package), "fraud.onnx", signature, [])
    )


def test_other_bytes_were_signed(package: Path, signature: Path, ann: Signer) -> None:
    package.write_bytes(b"another model")
    assert "not those that were signed" in refusal(
        lambda: signing.verify(package, digest(package), "fraud.onnx", signature, [ann.public])
    )


def test_a_file_that_changes_after_its_digest_was_taken_is_refused(
    package: Path, signature: Path, ann: Signer
) -> None:
    before = digest(package)
    package.write_bytes(b"another model")
    assert "changed while it was looked at" in refusal(
        lambda: signing.verify(package, before, "fraud.onnx", signature, [ann.public])
    )


@pytest.mark.parametrize("name", ["other.onnx", "../fraud.onnx", "", ".", "..", "a\0", "é" * 128])
def test_a_renamed_file_is_refused(package: Path, signature: Path, ann: Signer, name: str) -> None:
    refusal(lambda: signing.verify(package, digest(package), name, signature, [ann.public]))


@pytest.mark.parametrize("files", [("fraud.onnx", "extra.bin"), ("weights.bin",)])
def test_a_package_of_other_files_is_refused(
    package: Path, ann: Signer, tmp_path: Path, files: tuple[str, ...]
) -> None:
    folder, path = tmp_path / "package", tmp_path / "folder.sig"
    folder.mkdir()
    for name in files:
        (folder / name).write_bytes(package.read_bytes())
    library.Config().use_elliptic_key_signer(private_key=ann.key).sign(folder, path)
    assert "other files" in refusal(
        lambda: signing.verify(package, digest(package), "fraud.onnx", path, [ann.public])
    )


def test_a_forged_payload_is_refused(package: Path, signature: Path, ann: Signer) -> None:
    bundle = json.loads(signature.read_bytes())
    payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    package.write_bytes(b"another model")
    found = hashlib.sha256(package.read_bytes())
    payload["predicate"]["resources"][0]["digest"] = found.hexdigest()
    payload["subject"][0]["digest"]["sha256"] = hashlib.sha256(found.digest()).hexdigest()
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(payload).encode()).decode()
    signature.write_text(json.dumps(bundle))
    assert "none of the trusted keys" in refusal(
        lambda: signing.verify(package, digest(package), "fraud.onnx", signature, [ann.public])
    )


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"dsseEnvelope": {"payload": "e30="}}', "[" * 100_000])
def test_what_is_no_signature_is_refused(package: Path, signature: Path, ann: Signer, text: str) -> None:
    signature.write_text(text)
    assert "Model Signing format" in refusal(
        lambda: signing.verify(package, digest(package), "fraud.onnx", signature, [ann.public])
    )


def test_a_key_that_cannot_sign_is_named(package: Path, tmp_path: Path, ann: Signer) -> None:
    for key in (tmp_path / "none.key", ann.public):
        with pytest.raises(LifecycleError) as refused:
            signing.sign(package, tmp_path / "x.sig", key)
        assert refused.value.code is LifecycleCode.INVALID
