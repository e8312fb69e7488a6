"""When this process looks for reference cycles: beside the requests, never among them.

Left alone, Python looks whenever 700 more containers were made than freed, which is every few dozen requests:
15 to 20 % of a worker's time (`benchmarks/micro/request.py`), and pauses that grow with what is alive.
"""

import gc

WHOLE_EVERY = 60
"""Sweeps between two looks at everything made since the start, not only at what is young."""


class CycleCollector:
    """From its start on, cycles are looked for in `sweep` only.

    What is alive at the start (modules, loaded models) is never looked at again.
    """

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        gc.disable()
        self._sweeps = 0

    def sweep(self) -> None:
        """Call it regularly, when the least is alive: right after a drain of the tap."""
        self._sweeps += 1
        gc.collect(2 if self._sweeps % WHOLE_EVERY == 0 else 1)

    def stop(self) -> None:
        """Leave it to Python again."""
        gc.unfreeze()
        gc.enable()
