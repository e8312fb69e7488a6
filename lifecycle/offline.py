"""What is done to a home while it is down: its first key, and whether it may start and open to others."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from gateway.config import GatewayConfig
from gateway.core.keys import Key, KeyRole
from gateway.server.edge import certificates
from lifecycle.adapters.checkpoints import signing_key
from lifecycle.adapters.folder import open_folder
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.governance.keys import Keys
from lifecycle.config import LifecycleConfig, load
from lifecycle.errors import LifecycleCode, LifecycleError


@contextmanager
def open_keys(config: LifecycleConfig) -> Iterator[Keys]:
    """The keys of a home, which is made if there is none; its controller must not be running."""
    config.gateway.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(SqlStore(config.store_url)) as store:
        yield Keys(store, store.commit, time.time)


def check_home(home: Path, overrides: dict[str, Any]) -> str:
    """Whether `headrace up` may start here with these options; see `check_controller` and `check_ports`.

    Returns what it may start with and should not, in a line; empty if there is no such thing.
    """
    config = load(home, overrides)
    if not config.gateway.join:
        check_controller(config)
    check_ports(config.gateway)
    return _certificate(config.gateway)


def _certificate(gateway: GatewayConfig) -> str:
    if gateway.tls is None:
        return ""
    try:
        ended = certificates.has_ended(gateway.home, gateway.tls)
    except RuntimeError as error:
        raise LifecycleError(LifecycleCode.INVALID, str(error)) from None
    if ended is None:
        return ""
    return f"clients refuse the certificate of [gateway.tls]: it ended on {ended.date()}; put a new one there"


def check_controller(config: LifecycleConfig) -> None:
    """Whether a controller could open what it needs: said here in a line, and in Ray's process with pages.

    Asks the registry only, as stores of files may be away at the start. Raises LifecycleError, also as
    `check_identity` does.
    """
    config.gateway.home.mkdir(parents=True, exist_ok=True)
    with closing(SqlStore(config.store_url)):
        pass
    open_folder(config.artifacts_uri, "artifacts")
    open_folder(config.checkpoints_uri, "checkpoints")
    signing_key(config.keys_dir)
    check_identity(config)


def check_ports(gateway: GatewayConfig) -> None:
    """Raises LifecycleError CONFLICT if somebody listens on a port that this node needs."""
    for name in ("http_port", "grpc_port", *(() if gateway.join else ("admin_port",))):
        port: int = getattr(gateway, name)
        if _is_taken(gateway.host, port):
            option = f"--{name.replace('_', '-')}"
            message = f"port {port} is taken{_holder(port)}; stop what holds it, or `headrace up {option} N`"
            raise LifecycleError(LifecycleCode.CONFLICT, message)


def _is_taken(host: str, port: int) -> bool:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections do not count
        try:
            probe.bind(address)
        except PermissionError:  # a port that is only for root: the edge says so
            return False
        except OSError:
            return True
    return False


def _holder(port: int) -> str:
    """Who listens there, as far as this user may know."""
    with suppress(psutil.Error):
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr[1:2] == (port,) and each.pid:
                return f" by {psutil.Process(each.pid).name()} (pid {each.pid})"
    return ""


def check_identity(config: LifecycleConfig) -> None:
    """Raises LifecycleError REFUSED if keys are required and there is no admin to make any."""
    if not config.gateway.identity:
        return
    with open_keys(config) as keys:
        found = any(_rules(key, time.time()) for key in keys.list())
    if not found:
        message = (
            f"callers of {config.gateway.host} need keys, and there is no admin's key yet; make one with "
            f"`headrace key create NAME --role admin --home {config.gateway.home}`"
        )
        raise LifecycleError(LifecycleCode.REFUSED, message)


def _rules(key: Key, now: float) -> bool:
    return key.role is KeyRole.ADMIN and key.wide and key.live(now)
