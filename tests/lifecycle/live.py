"""The admin API on a real socket, for what cannot be seen in process: streams and the command line."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.api.app import Desk, build
from lifecycle.core.governance.policy import AUTOMATIC, Policy
from tests.lifecycle.desk import open_desk


@dataclass(frozen=True, slots=True)
class Live:
    url: str
    port: int
    desk: Desk
    store: SqlStore
    captures: ParquetCaptures


@contextmanager
def serving(home: Path, policy: Policy = AUTOMATIC, *, identity: bool = False) -> Iterator[Live]:
    """Serve from a thread on a free loopback port."""
    desk, store, captures = open_desk(home, policy=policy, identity=identity)
    config = uvicorn.Config(
        build(desk), port=0, log_level="error", ws="none", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Live(f"http://127.0.0.1:{port}", port, desk, store, captures)
    finally:
        server.should_exit = True
        thread.join()
        store.close()
