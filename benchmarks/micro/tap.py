"""What watching costs: microseconds per record in the event loop, and per drained row in a thread.

python -m benchmarks.micro.tap [--rows 1] [--features 30] [--records 20000]
"""

import argparse
import time

import numpy as np

from gateway.config import Watching
from gateway.core.finite import nonfinite
from gateway.core.profile import Profile
from gateway.core.types import Array, InferRequest, Outcome, Role
from gateway.telemetry.tap import TrafficTap

ROUNDS = 5


def request(rng: np.random.Generator, rows: int, features: int) -> tuple[InferRequest, dict[str, Array]]:
    inputs: dict[str, Array] = {"x": rng.normal(size=(rows, features)).astype(np.float32)}
    scores = rng.dirichlet([1, 1], rows).astype(np.float32)
    return InferRequest("m", None, inputs), {"label": scores.argmax(axis=1), "probabilities": scores}


def measure(rows: int, features: int, records: int) -> None:
    rng = np.random.default_rng(0)
    reference, answers = request(rng, 10_000, features)
    profile = Profile.of(reference.inputs, answers)
    watching = Watching(tap_records=records)
    seen = [request(rng, rows, features) for _ in range(records)]
    recorded, drained, checked = [], [], []
    for _ in range(ROUNDS):
        tap = TrafficTap(watching, lambda *_: profile, rng, most_bytes=2**40)
        started = time.perf_counter()
        for asked, outputs in seen:
            tap.record(asked, 1, Role.CHAMPION, Outcome.OK, 150_000, outputs, "prediction")
        recorded.append(time.perf_counter() - started)
        started = time.perf_counter()
        (window,), _ = tap.drain(time.time())
        drained.append(time.perf_counter() - started)
        started = time.perf_counter()
        for _, outputs in seen:
            nonfinite(outputs)
        checked.append(time.perf_counter() - started)
    micro = 1e6 / records
    print(f"{records} requests of {rows} x {features} FP32, best of {ROUNDS}")
    print(f"record     {min(recorded) * micro:6.2f} us a request")
    print(f"nonfinite  {min(checked) * micro:6.2f} us a request")
    print(f"drain      {min(drained) * micro / rows:6.2f} us a row ({window.rows} rows)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--features", type=int, default=30)
    parser.add_argument("--records", type=int, default=20_000)
    options = parser.parse_args()
    measure(options.rows, options.features, options.records)


if __name__ == "__main__":
    main()
