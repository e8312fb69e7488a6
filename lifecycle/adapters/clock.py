"""The controller's clock: Unix seconds that never jump, so that no deadline and no bake time ends early.

For timers. What is only written down, as in the ledger, keeps the wall clock.
"""

import time
from collections.abc import Callable


class Clock:
    """The wall time at the start plus the time that passed since; call it for Unix seconds.

    A wall clock that is put right or wrong afterwards changes nothing until the controller starts again:
    then the wall is read anew, because stored times are all that two processes share.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = time.monotonic
    ) -> None:
        self._elapsed = elapsed
        self._offset = wall() - elapsed()

    def __call__(self) -> float:
        return self._offset + self._elapsed()
