"""The level at which a worker logs, which clients may change.

What they set stands in a file that the node's workers share, so it holds on all of them for as long as the
node runs.
"""

import logging
import os
from pathlib import Path

_log = logging.getLogger("gateway")


class LogLevel:
    """The level of this process and, by a file, of its neighbours. `refresh` may be called from a thread.

    Args:
        shared: the file of the node's workers; None keeps the level in this process.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self._shared = shared
        self._read: tuple[int, int] | None = None
        self.refresh()

    def get(self) -> int:
        """As `logging` numbers levels, with what other workers were told."""
        self.refresh()
        return _log.getEffectiveLevel()

    def set(self, level: int) -> None:
        """Log what has this level or a graver one."""
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")  # unless done already
        _log.setLevel(level)
        if self._shared is not None:
            written = self._shared.with_suffix(f".{os.getpid()}")
            written.write_text(logging.getLevelName(level))
            written.replace(self._shared)

    def refresh(self) -> None:
        """Take up what other workers were told. Costs a look at the file while there is nothing new."""
        if self._shared is None:
            return
        try:
            with self._shared.open() as file:
                found = os.fstat(file.fileno())
                version = (found.st_ino, found.st_mtime_ns)
                if version != self._read:
                    _log.setLevel(file.read())
                    self._read = version
        except FileNotFoundError:  # nothing was set yet
            return
