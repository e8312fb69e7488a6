"""Which predictions are kept whole: a uniform choice of requests, up to a rate of rows per model."""

from collections.abc import Mapping

import numpy as np

from gateway.config import Watching
from gateway.core.summary import WindowKey
from gateway.core.types import Role
from gateway.telemetry.record import Record

REMEMBERED = 20_000


class Sampler:
    """Chooses among a drain's records.

    A shadow's answer is kept exactly when its primary's was, so the two can be compared row by row.

    A request is kept whole; one that exceeds a rate is made up for by keeping less later. The rows of all
    models are shared so that the quiet ones lose nothing.
    """

    def __init__(self, watching: Watching, rng: np.random.Generator) -> None:
        self._rate = watching.sample_rows_per_s
        self._total = watching.sample_total_rows_per_s
        self._bytes_per_s = watching.sample_mb_per_s * 2**20
        self._owed_bytes = 0.0
        self._rng = rng
        self._debt: dict[str, float] = {}
        self._chosen: dict[str, None] = {}  # recent prediction ids, oldest first

    def sample(self, groups: Mapping[WindowKey, list[Record]], elapsed_s: float) -> list[Record]:
        """The sample of records of the last `elapsed_s` seconds."""
        primary: dict[str, list[Record]] = {}
        copies: list[Record] = []
        for key, records in groups.items():
            if key[2] is Role.SHADOW:
                copies.extend(records)
            else:
                primary.setdefault(key[0], []).extend(records)
        self._debt = {model: debt for model, debt in self._debt.items() if debt > 0}
        elapsed_s = max(elapsed_s, 0.0)
        rows = {model: sum(record.rows for record in records) for model, records in primary.items()}
        wanted = {
            model: min(rows.get(model, 0) + self._debt.get(model, 0.0), self._rate * elapsed_s)
            for model in rows.keys() | self._debt.keys()
        }
        credit = fair_shares(wanted, self._total * elapsed_s)
        for model in self._debt.keys() - primary.keys():
            self._debt[model] -= credit[model]
        chosen = self._within_bytes(self._choose(primary, credit), elapsed_s)
        self._chosen.update((record.prediction_id, None) for record in chosen)
        chosen += [record for record in copies if record.prediction_id in self._chosen]
        for _ in range(len(self._chosen) - REMEMBERED):
            del self._chosen[next(iter(self._chosen))]
        return chosen

    def _within_bytes(self, chosen: list[Record], elapsed_s: float) -> list[Record]:
        # Large tensors would hold up a worker's loop on their way to the controller.
        room = self._bytes_per_s * elapsed_s - self._owed_bytes
        if sum(record.size for record in chosen) > room:
            chosen = [chosen[at] for at in self._rng.permutation(len(chosen))]
        kept = []
        for record in chosen:
            if room <= 0:
                break
            kept.append(record)
            room -= record.size
        self._owed_bytes = max(-room, 0.0)
        return kept

    def _choose(self, primary: Mapping[str, list[Record]], credit: Mapping[str, float]) -> list[Record]:
        left = {model: credit[model] - self._debt.get(model, 0.0) for model in primary}
        offered = [(model, record) for model, records in primary.items() for record in records]
        chosen = []
        # One shuffle of all is a fair one of each model's, and takes a tenth of the time of a thousand.
        for at in self._rng.permutation(len(offered)).tolist():
            model, record = offered[at]
            if left[model] > 0:
                chosen.append(record)
                left[model] -= record.rows
        self._debt.update((model, max(-rest, 0.0)) for model, rest in left.items())
        return chosen


def fair_shares(wanted: Mapping[str, float], total: float) -> dict[str, float]:
    """At most what each wants, together at most `total`; who wants less than an even share gets it all."""
    shares: dict[str, float] = {}
    for at, (name, most) in enumerate(sorted(wanted.items(), key=lambda pair: pair[1])):
        shares[name] = min(most, total / (len(wanted) - at))
        total -= shares[name]
    return shares
