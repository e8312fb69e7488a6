"""A home's first key, and that none opens to the network without one."""

import socket
from pathlib import Path

import pytest

from gateway.core.keys import KeyRole
from lifecycle.config import load
from lifecycle.errors import LifecycleError
from lifecycle.offline import check_home, open_keys
from tests.gateway.ca import Authority
from tests.ports import free_port


@pytest.fixture
def free() -> dict[str, int]:
    """Ports of its own, whoever listens on the default ones."""
    return {name: free_port() for name in ("http_port", "grpc_port", "admin_port")}


def test_a_port_that_somebody_has_is_named_with_them(tmp_path: Path, free: dict[str, int]) -> None:
    check_home(tmp_path, free)
    said = rf"port {free['grpc_port']} is taken by .+--grpc-port N"
    listening = socket.create_server(("127.0.0.1", free["grpc_port"]), reuse_port=True)
    with listening, pytest.raises(LifecycleError, match=said):
        check_home(tmp_path, free)
    check_home(tmp_path, free)


def test_a_new_home_is_for_nobody_elses_eyes(tmp_path: Path) -> None:
    new, own = tmp_path / "folder" / "home", tmp_path / "own"
    own.mkdir(mode=0o750)
    for home in (new, own):
        with open_keys(load(home, {})) as keys:
            keys.create("boss", KeyRole.ADMIN, actor="ann")
    assert new.stat().st_mode & 0o777 == 0o700
    assert own.stat().st_mode & 0o777 == 0o750, "what somebody made stays as it is"


def test_beyond_loopback_takes_an_admin(tmp_path: Path, free: dict[str, int]) -> None:
    home = tmp_path / "home"
    check_home(home, free | {"host": "127.0.0.1"})
    for made in (None, KeyRole.VIEWER, KeyRole.ADMIN):
        if made is not None:
            with open_keys(load(home, {})) as keys:
                keys.create(str(made), made, actor="ann")
        if made is not KeyRole.ADMIN:
            with pytest.raises(LifecycleError, match="`headrace key create NAME --role admin"):
                check_home(home, free | {"host": "0.0.0.0"})
    check_home(home, free | {"host": "0.0.0.0"})
    check_home(home, free | {"keys": "required"})


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("headrace.toml", 'artifacts = "s4://acme/artifacts"', "`artifacts` cannot be used: .*s4"),
        ("headrace.toml", 'checkpoints = "s4://acme/ledger"', "`checkpoints` cannot be used: .*s4"),
        (
            "headrace.toml",
            'store = "postgresql://headrace@/none?host=/nowhere"',
            "the registry's database cannot be used now",
        ),
        ("headrace.db", "no database at all" * 100, "the registry's database is damaged"),
        ("keys/ledger.key", "0123", "ledger.key in the home's keys is damaged"),
    ],
)
def test_what_no_controller_could_open_is_said_before_one_starts(
    tmp_path: Path, free: dict[str, int], file: str, text: str, says: str
) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    with pytest.raises(LifecycleError, match=says):
        check_home(tmp_path, free)


def test_a_certificate_is_looked_at_before_anything_starts(tmp_path: Path, free: dict[str, int]) -> None:
    (tmp_path / "ca").mkdir()
    ours = Authority(tmp_path / "ca", "ours")
    files = '[gateway.tls]\ncertificate = "ca/{}.pem"\nkey = "ca/{}.key"\n'
    for name, ended in (("good", False), ("late", True)):
        ours.issue(name, ended=ended)
        (tmp_path / "headrace.toml").write_text(files.format(name, name))
        assert ("it ended on" in check_home(tmp_path, free)) is ended
    (tmp_path / "headrace.toml").write_text(files.format("good", "late"))
    with pytest.raises(LifecycleError, match=r"late\.key is not the key of"):
        check_home(tmp_path, free)
