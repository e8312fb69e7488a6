"""Arms of a rollout, drawn: what a canary or a champion would have done."""

import numpy as np
from numpy.typing import NDArray

from gateway.core.summary import latency_histogram
from lifecycle.core.analysis.evidence import Arm

EQUAL = np.full(4, 0.25)


class Traffic:
    """Draws arms; latencies are lognormal with a median of 3 ms unless `scale` says otherwise."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)

    def arm(
        self,
        requests: int,
        errors: float = 0.0,
        invalid: float = 0.0,
        scale: float = 1.0,
        classes: NDArray[np.float64] = EQUAL,
        rows: int = 1,
    ) -> Arm:
        failed = int(self.rng.binomial(requests, errors))
        answered = requests - failed
        latency = 3e6 * scale * np.exp(0.5 * self.rng.standard_normal(answered))
        return Arm(
            requests,
            failed,
            int(self.rng.binomial(answered, invalid)),
            latency_histogram(latency.astype(np.int64)),
            self.rng.multinomial(answered, classes) * rows,
        )
