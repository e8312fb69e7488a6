"""`headrace key`."""

from pathlib import Path

from tests.lifecycle.cli.conftest import Run


def test_create_list_revoke(run: Run) -> None:
    made = run("key", "create", "ann", "--role", "deployer", "--model", "fraud", "--expires", "30d", "--json")
    assert made.json["models"] == ["fraud"]
    assert run("key", "revoke", "ann").out == "key ann is revoked\n"
    listed = run("key", "list").out
    assert "ann" in listed
    assert "revoked" in listed
    assert made.json["secret"] not in listed


def test_the_first_key_is_made_offline(alone: Run, tmp_path: Path) -> None:
    home = tmp_path / "node"
    refused = alone("up", "--home", home, "--host", "0.0.0.0")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "headrace key create" in refused.err
    made = alone("key", "create", "boss", "--role", "admin", "--home", home)
    assert (made.code, made.out.startswith("hr_")) == (0, True)
    assert alone("key", "create", "boss", "--role", "admin", "--home", home).code == 1
