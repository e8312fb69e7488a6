"""The Python SDK, in step and in an event loop: the command line's words as methods (see `operations`).

    with Client() as headrace:
        headrace.start_rollout("fraud", 2)

    async with AsyncClient() as headrace:
        await headrace.start_rollout("fraud", 2)

A change that rests on what was seen: `headrace.at_revision(7).promote("fraud")` raises STALE unless
the model is still at revision 7.

Must never import the server's side.
"""

from lifecycle.client.clients import AsyncClient, Client
from lifecycle.client.wire import DEFAULT_URL, Json

__all__ = ["DEFAULT_URL", "AsyncClient", "Client", "Json"]
