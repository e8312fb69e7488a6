"""One controller's hold on the lease: wait for it, keep it, notice its loss. Never acts by itself."""

import logging
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from gateway.config import GatewayConfig
from lifecycle.core.lease import RENEW_S, Lease, Watch
from lifecycle.errors import LifecycleError
from lifecycle.ports import Leases

log = logging.getLogger(__name__)


class Tenure:
    """This controller's side of the lease.

    Args:
        holder: who asks; the same after a restart, and nobody else's.
        clock: monotonic seconds.
    """

    def __init__(self, leases: Leases, holder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._leases = leases
        self._holder = holder
        self._clock = clock
        self._watch: Watch | None = None
        self._held: Lease | None = None
        self._renewed_at = 0.0
        self._turn = Lock()
        """`keep` may still run in its thread when the end comes."""

    def begin(self) -> bool:
        """Take the lease if it is free. False while another holds it: ask again in a while."""
        self._held = None
        now, lease = self._clock(), self._leases.lease()
        if self._watch is None or self._watch.lease.holder != lease.holder:
            log.info("the lease is held by %s", lease.holder or "nobody")
        self._watch = self._watch.seen(lease, now) if self._watch else Watch(lease, now)
        if self._watch.free(self._holder, now):
            self._held = self._leases.take(lease, self._holder)
            self._renewed_at = now
        return self._held is not None

    def awaits(self) -> str:
        """Who held the lease when `begin` last looked; empty once this one holds it."""
        return "" if self._held or self._watch is None else self._watch.lease.holder

    def keep(self) -> None:
        """Look at it, and renew it when that is due. Blocks for as long as the registry does not answer.

        Raises LifecycleError CONFLICT once another has taken it.
        """
        with self._turn:
            now = self._clock()
            if self._held is None:
                return
            if now - self._renewed_at >= RENEW_S or self._leases.lease() != self._held:
                self._held = self._leases.renew(self._held)
                self._renewed_at = now

    def end(self) -> None:
        """Let others take it at once. Never raises: it also ends by itself."""
        with self._turn:
            if self._held:
                try:
                    self._leases.release(self._held)
                except LifecycleError as error:
                    log.warning("the lease was not given back: %s", error)
                self._held = None


def holder(home: Path) -> str:
    """A name for this home's controller that no other home has and that outlives a restart."""
    path = home / "controller"
    if not path.exists():
        path.write_text(f"{socket.gethostname()}-{secrets.token_hex(4)}")
    return path.read_text()


def node_name(config: GatewayConfig) -> str:
    """Under which a node is known to its cluster; empty for one that stands alone."""
    return holder(config.home) if config.address else ""
