"""Ports for servers that tests start."""

import socket
from random import SystemRandom

_SERVERS = range(20_000, 32_000)
"""Below those that systems give to connections: one of these is still free when its server starts."""


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    while True:
        port = SystemRandom().choice(_SERVERS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
