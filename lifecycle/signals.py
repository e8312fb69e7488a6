"""The signals by which a node is asked to end."""

import asyncio
import signal


def heed(stopped: asyncio.Event) -> None:
    """Set the event on SIGTERM or SIGINT. To be called again once Ray has started.

    Ray puts in a handler of its own, which would cut off whatever the node does at that moment.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
