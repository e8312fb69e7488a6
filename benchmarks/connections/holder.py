"""Holds idle connections from a process of its own.

python -m benchmarks.connections.holder PORT COUNT: opens them, asks once on each, and prints how many were
answered; for each line on standard input it asks on all of them again, and prints the same.
"""

import resource
import socket
import sys

ASK = b"GET /v2/health/live HTTP/1.1\r\nhost: bench\r\n\r\n"
PATIENCE_S = 20.0
AT_ONCE = 200


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    held: list[socket.socket] = []
    while len(held) < count:
        fresh = [_connected(port) for _ in range(min(AT_ONCE, count - len(held)))]
        answered(fresh)
        held += fresh
    print(answered(held), flush=True)
    for _ in sys.stdin:
        print(answered(held), flush=True)


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def answered(clients: list[socket.socket]) -> int:
    """Ask on each of them; how many answers were right."""
    right = 0
    for start in range(0, len(clients), AT_ONCE):
        group = clients[start : start + AT_ONCE]
        asked = [client for client in group if _ask(client)]
        right += sum(map(_right, asked))
    return right


def _ask(client: socket.socket) -> bool:
    try:
        client.sendall(ASK)
    except OSError:
        return False
    return True


def _right(client: socket.socket) -> bool:
    try:
        return client.recv(65_536).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


if __name__ == "__main__":
    main()
