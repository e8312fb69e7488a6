"""Keys: what a secret opens, and that only its digest is kept."""

import pytest

from gateway.core.keys import Key, Keyring, KeyRole, digest, secret_in

ANN = Key("ann", digest("s1"), KeyRole.DEPLOYER, ("fraud", "eu-*"), created_at=1.0, expires_at=100.0)


def test_roles_are_a_ladder() -> None:
    assert [role for role in KeyRole if ANN.may(role)] == ["viewer", "inference", "deployer"]


@pytest.mark.parametrize(
    ("model", "covered"), [("fraud", True), ("fraud2", False), ("eu-risk", True), ("us-risk", False)]
)
def test_scope_is_names_and_prefixes(model: str, covered: bool) -> None:
    assert ANN.covers(model) is covered


def test_no_scope_is_everything() -> None:
    wide = Key("b", "d", KeyRole.VIEWER)
    assert (wide.wide, wide.covers("any"), ANN.wide) == (True, True, False)


def test_a_secret_finds_its_key_until_it_expires() -> None:
    ring = Keyring((ANN,))
    assert ring.find("s1", 99.9) is ANN
    assert ring.find("s1", 100.0) is None
    assert ring.find("s2", 1.0) is None


def test_a_revoked_key_is_dead() -> None:
    assert not Key("a", "d", KeyRole.ADMIN, revoked_at=1.0).live(0.5)


def test_keys_survive_json_without_their_secrets() -> None:
    ring = Keyring((ANN,))
    assert Keyring.from_json(ring.as_json()) == ring
    assert "s1" not in str(ring.as_json())


@pytest.mark.parametrize(
    ("authorization", "api_key", "secret"),
    [
        ("Bearer abc", "", "abc"),
        ("bearer  abc ", "other", "abc"),
        ("", "abc", "abc"),
        ("Basic abc", "", ""),
        ("", "", ""),
    ],
)
def test_where_a_secret_may_stand(authorization: str, api_key: str, secret: str) -> None:
    assert secret_in(authorization, api_key) == secret
