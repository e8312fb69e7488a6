"""The demo's callers, in a process of their own: three kinds of client, every answer checked.

    python -m lifecycle.demo.load --http 127.0.0.1:8000 --grpc 127.0.0.1:8001 --admin URL --model digits

Writes one JSON line a second to standard output. Reads `wear` and `stop` from standard input.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

from lifecycle.client import Client
from lifecycle.demo.callers import Answer, Caller, GrpcCaller, HttpBinaryCaller, HttpJsonCaller
from lifecycle.demo.scanner import Scans, wear, world

LABEL_DELAY_S = 4.0


@dataclass
class Tally:
    """What happened since the last report."""

    sent: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    served: Counter[int] = field(default_factory=Counter)
    invalid: Counter[int] = field(default_factory=Counter)
    unseen: int = 0
    unseen_right: int = 0


class Load:
    """Callers that share a stream of scans and a tally.

    Half of the stream's scans get their labels reported, late; the other half's stay unknown.
    """

    def __init__(self, model: str, admin: str, rate: float, seed: int) -> None:
        self._model = model
        self._admin = admin
        self._pause_s = 1 / rate
        self._rng = np.random.default_rng(seed)
        self._world = world(np.random.default_rng(seed))
        self._live = (self._world.labelled, self._world.unseen)
        self._lock = threading.Lock()
        self._tally = Tally()
        self._labels: deque[tuple[float, str, int]] = deque()
        self.stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, callers: list[Caller]) -> None:
        self._threads = [
            threading.Thread(target=self._call, args=(caller, number), daemon=True)
            for number, caller in enumerate(callers)
        ]
        self._threads.append(threading.Thread(target=self._report_labels, daemon=True))
        for thread in self._threads:
            thread.start()

    def wear_out(self) -> None:
        """From now on the scanner is worn."""
        labelled, unseen = (
            Scans(wear(part.images, self._rng), part.labels)
            for part in (self._world.labelled, self._world.unseen)
        )
        self._live = (labelled, unseen)

    def stop(self) -> None:
        self.stopped.set()
        for thread in self._threads:
            thread.join(10)

    def take(self) -> Tally:
        with self._lock:
            tally, self._tally = self._tally, Tally()
        return tally

    def _call(self, caller: Caller, number: int) -> None:
        rng = np.random.default_rng(number)
        due = time.monotonic()
        while not self.stopped.is_set():
            labelled, unseen = self._live
            known = bool(rng.random() < 0.5)
            scans = labelled if known else unseen
            index = int(rng.integers(len(scans)))
            try:
                answer = caller.infer(scans.images[index])
            except Exception as error:  # whatever goes wrong is the caller's loss, and is counted
                self._fail(f"{caller.name}: {type(error).__name__}: {error}")
                caller.reconnect()
            else:
                self._succeed(answer, int(scans.labels[index]), known)
            due += self._pause_s
            time.sleep(max(0.0, due - time.monotonic()))
        caller.close()

    def _fail(self, reason: str) -> None:
        with self._lock:
            self._tally.sent += 1
            self._tally.failed += 1
            self._tally.reasons[reason[:200]] += 1

    def _succeed(self, answer: Answer, label: int, known: bool) -> None:
        with self._lock:
            self._tally.sent += 1
            self._tally.served[answer.version] += 1
            self._tally.invalid[answer.version] += not answer.finite
            if known:
                self._labels.append((time.monotonic() + LABEL_DELAY_S, answer.prediction_id, label))
            else:
                self._tally.unseen += 1
                self._tally.unseen_right += answer.label == label

    def _report_labels(self) -> None:
        with Client(self._admin) as client:
            self._report_labels_to(client)

    def _report_labels_to(self, client: Client) -> None:
        while not self.stopped.wait(1.0):
            due: dict[str, int] = {}
            with self._lock:
                while self._labels and self._labels[0][0] <= time.monotonic():
                    _, prediction_id, label = self._labels.popleft()
                    due[prediction_id] = label
            if due:
                try:
                    client.feedback(self._model, due)
                except Exception as error:
                    print(f"labels not taken: {error}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--http", required=True)
    parser.add_argument("--grpc", required=True)
    parser.add_argument("--admin", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rate", type=float, default=260.0, help="requests per second and caller")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    load = Load(options.model, options.admin, options.rate, options.seed)
    load.start(
        [
            HttpJsonCaller(options.http, options.model),
            HttpBinaryCaller(options.http, options.model),
            GrpcCaller(options.grpc, options.model),
        ]
    )
    threading.Thread(target=_obey, args=(load,), daemon=True).start()
    while not load.stopped.wait(1.0):
        _report(load.take())
    load.stop()
    _report(load.take())


def _obey(load: Load) -> None:
    for line in sys.stdin:
        if line.strip() == "wear":
            load.wear_out()
        if line.strip() == "stop":
            break
    load.stopped.set()


def _report(tally: Tally) -> None:
    line = {
        "at": time.time(),
        "sent": tally.sent,
        "failed": tally.failed,
        "reasons": dict(tally.reasons),
        "served": dict(tally.served),
        "invalid": dict(tally.invalid),
        "unseen": tally.unseen,
        "unseen_right": tally.unseen_right,
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
