"""The Python SDK, in step and in an event loop: the command line's words as methods (see `operations`).

    with Client() as headrace:
        headrace.start_rollout("fraud", 2)

    async with AsyncClient() as headrace:
        await headrace.start_rollout("fraud", 2)

Must never import the server's side.
"""

from lifecycle.client.clients import AsyncClient, Client
from lifecycle.client.wire import DEFAULT_URL, Json

__all__ = ["DEFAULT_URL", "AsyncClient", "Client", "Json"]
