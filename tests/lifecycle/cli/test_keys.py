"""`headrace key`."""

from pathlib import Path

from tests.lifecycle.cli.conftest import Run


def test_create_list_revoke(run: Run) -> None:
    made = run("key", "create", "ann", "--role", "deployer", "--model", "fraud", "--expires", "30d", "--json")
    assert made.json["models"] == ["fraud"]
    assert (
        run("key", "create", "ann-ci", "--role", "viewer", "--owner", "ann", "--json").json["owner"] == "ann"
    )
    assert "name of a key" in run("key", "create", "x", "--role", "viewer", "--owner", "a b").err
    assert run("key", "revoke", "ann").out == "key ann is revoked\n"
    listed = run("key", "list").out
    assert "ann" in listed
    assert "revoked" in listed
    assert made.json["secret"] not in listed


def test_where_no_key_is_looked_at_whoever_makes_one_is_told(run: Run) -> None:
    said = run("key", "create", "ann", "--role", "deployer").out
    assert '`[gateway] keys` is "required"' in " ".join(said.split())


def test_the_first_key_is_made_offline(alone: Run, tmp_path: Path) -> None:
    home = tmp_path / "node"
    refused = alone("up", "--home", home, "--host", "0.0.0.0")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "headrace key create" in refused.err
    made = alone("key", "create", "boss", "--role", "admin", "--owner", "ann", "--home", home, "--json")
    assert (made.code, made.json["secret"][:3], made.json["owner"]) == (0, "hr_", "ann")
    assert alone("key", "create", "boss", "--role", "admin", "--home", home).code == 1


def test_a_certificate_may_be_the_first_key(alone: Run, tmp_path: Path) -> None:
    create = ("key", "create", "boss", "--role", "admin", "--home", tmp_path / "node")
    said = alone(*create, "--certificate", "CN=boss,O=Acme")
    assert (said.code, said.out) == (0, "whoever shows a certificate of CN=boss,O=Acme is boss\n")
