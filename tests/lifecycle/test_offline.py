"""A home's first key, and that none opens to the network without one."""

import socket
from pathlib import Path

import pytest

from gateway.core.keys import KeyRole
from lifecycle.config import load
from lifecycle.errors import LifecycleError
from lifecycle.offline import check_home, open_keys
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
