"""Sends ledger records to a webhook's receiver: in order, each until it is taken, across restarts."""

import asyncio
import logging
from collections.abc import Callable

import httpx

from lifecycle.config import Webhook
from lifecycle.core.governance.ledger import Record
from lifecycle.core.governance.webhook import message, pause, signed, wants
from lifecycle.errors import LifecycleError
from lifecycle.ports import Deliveries, Store

log = logging.getLogger(__name__)

POLL_S = 0.5
TIMEOUT_S = 10.0
"""For the whole of an attempt, however its answer comes."""
PAGE = 200


class WebhookSender:
    """One webhook's. A receiver that is down holds up its own records and nobody else's.

    Args:
        clock: Unix time in seconds, as the receiver's.
        pause: seconds after so many failures in a row.
    """

    def __init__(
        self,
        webhook: Webhook,
        store: Store,
        deliveries: Deliveries,
        clock: Callable[[], float],
        pause: Callable[[int], float] = pause,
    ) -> None:
        self._webhook = webhook
        self._store = store
        self._deliveries = deliveries
        self._clock = clock
        self._pause = pause
        self._failures = 0

    async def run(self) -> None:
        """Send for ever; to be cancelled."""
        # A receiver that names another address is not the one that was configured.
        async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
            while True:
                try:
                    waits_s = 0.0 if await self._page(client) else POLL_S
                    self._failures = 0
                except (LifecycleError, httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                    self._failures += 1
                    waits_s = self._pause(self._failures)
                    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
                    log.warning("webhook %s: %s; again in %g s", self._webhook.name, told, waits_s)
                await asyncio.sleep(waits_s)

    async def _page(self, client: httpx.AsyncClient) -> bool:
        """Send what is new; whether there was anything. Raises what kept a record from being taken."""
        name = self._webhook.name
        reached = await asyncio.to_thread(self._deliveries.reached, name)
        if reached is None:
            # A new webhook tells of what happens from now on, however soon it is interrupted.
            reached = (await asyncio.to_thread(self._store.head)).seq
            await asyncio.to_thread(self._deliveries.reach, name, reached)
        records = await asyncio.to_thread(self._store.records, after=reached, limit=PAGE)
        for record in records:
            if wants(self._webhook.kinds, record.kind):
                await self._send(client, record)
                self._failures = 0
            elif record is not records[-1]:
                continue  # noted together with the next one that matters
            await asyncio.to_thread(self._deliveries.reach, name, record.seq)
        return bool(records)

    async def _send(self, client: httpx.AsyncClient, record: Record) -> None:
        told = message(record)
        headers = signed(self._webhook.secrets, told, self._clock())
        # Its status is its answer. What else it says is not read: that may have no end.
        sent = client.stream("POST", self._webhook.url, content=told.body, headers=headers)
        async with asyncio.timeout(TIMEOUT_S), sent as answer:
            if not answer.is_success:
                raise httpx.HTTPStatusError(
                    f"the receiver answered {answer.status_code}", request=answer.request, response=answer
                )
