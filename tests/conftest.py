"""What holds for every test, and the servers that a session shares.

The outcome of a test never depends on how busy the machine is.
"""

import socket
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import MISSING, Postgres, programs, running

settings.register_profile("headrace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("headrace")


@pytest.fixture
def free_port() -> Callable[[], int]:
    """A port of the loopback address that nobody listens on."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        return port

    return find


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip(MISSING)
    with running() as server:
        yield server
