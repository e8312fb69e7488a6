"""Keys are made, recognised, revoked, and told of in the ledger."""

from pathlib import Path
from typing import Any, NoReturn

import pytest

from gateway.core.keys import KeyRole
from lifecycle.commands.governance.keys import Keys
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.one_model import Registry


@pytest.fixture
def keys(registry: Registry) -> Keys:
    return Keys(registry.store, registry.publisher.commit, registry.clock)


def test_a_key_is_in_the_store_the_table_and_the_ledger_but_its_secret_is_not(
    registry: Registry, keys: Keys, tmp_path: Path
) -> None:
    key, secret = keys.create("ann", KeyRole.DEPLOYER, actor="boss", models=["fraud", "eu-*"], expires_s=10)
    assert keys.find(secret) == key
    assert registry.fleet.table.keys.find(secret, registry.now) == key
    assert key.expires_at == registry.now + 10
    record = registry.store.records()[-1]
    assert (record.actor, record.kind, record.detail["key"]) == ("boss", "key.created", "ann")
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert key.digest.encode() in files
    assert secret.encode() not in files
    assert len(secret) >= 43


def test_expiry_and_revocation(registry: Registry, keys: Keys) -> None:
    brief_key, brief = keys.create("brief", KeyRole.VIEWER, actor="boss", expires_s=10)
    lost_key, lost = keys.create("lost", KeyRole.ADMIN, actor="boss")
    assert keys.still_live(brief_key)
    assert keys.still_live(lost_key)
    keys.revoke("lost", "boss")
    assert keys.find(lost) is None
    assert not keys.still_live(lost_key)
    assert registry.fleet.table.keys.find(lost, registry.now) is None
    assert registry.store.records()[-1].kind == "key.revoked"
    count = len(registry.store.records())
    keys.revoke("lost", "boss")
    assert len(registry.store.records()) == count
    registry.now += 10
    assert keys.find(brief) is None
    assert not keys.still_live(brief_key)
    assert [key.name for key in keys.list()] == ["brief", "lost"]


@pytest.mark.parametrize("fails", ["commit", "next_generation"])
def test_a_revocation_whose_answer_was_lost_reaches_the_workers_with_the_next_tick(
    registry: Registry, keys: Keys, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    _, secret = keys.create("lost", KeyRole.ADMIN, actor="boss")
    write = getattr(registry.store, fails)

    def lost(*values: Any) -> None:
        write(*values)
        raise LifecycleError(LifecycleCode.UNAVAILABLE, "the connection is lost")

    with monkeypatch.context() as broken:
        broken.setattr(registry.store, fails, lost)
        with pytest.raises(LifecycleError, match="the connection is lost"):
            keys.revoke("lost", "boss")
    assert registry.publisher.stale, "which a tick looks at"
    registry.publisher.publish()
    assert registry.fleet.table.keys.find(secret, registry.now) is None


def test_a_name_means_one_key_for_ever(keys: Keys) -> None:
    keys.create("ann", KeyRole.VIEWER, actor="boss")
    keys.revoke("ann", "boss")
    with pytest.raises(LifecycleError, match="choose another") as taken:
        keys.create("ann", KeyRole.ADMIN, actor="boss")
    assert taken.value.code is LifecycleCode.CONFLICT


@pytest.mark.parametrize("name", ["", "a b", "controller", "x" * 65, "-a", "ann\n"])
def test_bad_names(keys: Keys, name: str) -> None:
    with pytest.raises(LifecycleError):
        keys.create(name, KeyRole.VIEWER, actor="boss")


def test_bad_scopes_and_terms(keys: Keys) -> None:
    for models, expires_s in (["a/b"], None), (["*x"], None), ([], 0.0), ([], float("nan")):
        with pytest.raises(LifecycleError) as refused:
            keys.create("ann", KeyRole.VIEWER, actor="boss", models=models, expires_s=expires_s)
        assert refused.value.code is LifecycleCode.INVALID
    with pytest.raises(LifecycleError, match="no key"):
        keys.revoke("nobody", "boss")


def test_a_certificates_key_has_no_secret_and_is_one_of_its_kind(registry: Registry, keys: Keys) -> None:
    key, secret = keys.create("shop", KeyRole.INFERENCE, actor="boss", subject="CN=shop")
    assert (secret, key.subject) == ("", "CN=shop")
    assert keys.find_subject("CN=shop") == key
    assert keys.find("CN=shop") is keys.find("") is None
    assert registry.store.records()[-1].detail["subject"] == "CN=shop"
    with pytest.raises(LifecycleError) as refused:
        keys.create("shop2", KeyRole.ADMIN, actor="boss", subject="CN=shop")
    assert refused.value.code is LifecycleCode.CONFLICT
    keys.revoke("shop", "boss")
    assert keys.find_subject("CN=shop") is None
    again, _ = keys.create("shop2", KeyRole.VIEWER, actor="boss", subject="CN=shop")
    assert keys.find_subject("CN=shop") == again


def test_a_subject_that_no_certificate_is_told_by_is_refused(keys: Keys) -> None:
    for subject in ("shop", "CN=shop, O=Acme", "/CN=shop/O=Acme", "CN=shop,"):
        with pytest.raises(LifecycleError, match="openssl x509"):
            keys.create("shop", KeyRole.INFERENCE, actor="boss", subject=subject)
    subject = r"emailAddress=é@acme.example,CN=shop+OU=a b,O=Acme\, Inc,1.2.3=x"
    assert keys.create("shop", KeyRole.INFERENCE, actor="boss", subject=subject)[0].subject == subject


def test_while_the_registry_is_away_the_keys_of_the_workers_count(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Keys(registry.store, registry.publisher.commit, registry.clock, lambda: registry.fleet.table.keys)
    key, secret = keys.create("eye", KeyRole.VIEWER, actor="boss", expires_s=10)
    _, lost = keys.create("lost", KeyRole.VIEWER, actor="boss")
    keys.revoke("lost", "boss")

    def away() -> NoReturn:
        raise LifecycleError(LifecycleCode.UNAVAILABLE, "the server does not answer")

    monkeypatch.setattr(registry.store, "api_keys", away)
    assert keys.find(secret) == key
    assert keys.still_live(key)
    assert keys.find(lost) is None
    with pytest.raises(LifecycleError, match="does not answer"):
        keys.revoke("eye", "boss")
    registry.now += 11
    assert keys.find(secret) is None
