"""A node that is asked to end, with real signals."""

import asyncio
import os
import signal

import pytest

from lifecycle import signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_even_where_somebody_else_has_taken_it_since(number: signal.Signals) -> None:
    stopped, before = asyncio.Event(), signal.getsignal(number)
    try:
        signals.heed(stopped)
        signal.signal(number, signal.SIG_IGN)
        signals.heed(stopped)
        os.kill(os.getpid(), number)
        assert await asyncio.wait_for(stopped.wait(), 5)
    finally:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, before)
