"""What warming found of a version's file, kept beside its copy on the node: measuring is most of what loading
a small model takes, and the next process need not do it again.

Never trusts a single measurement, which something else on the machine may have disturbed.
"""

import contextlib
import hashlib
import math
import secrets
from dataclasses import replace
from pathlib import Path

import onnxruntime as ort
import orjson

from gateway.core.batching import Batching
from gateway.runtime.placement import Cost
from gateway.runtime.warmup import Warmth

ENOUGH = 3
"""Measurements, of which the quickest counts. Disturbances only ever slow a run down."""


class Measured:
    """Files by digest. Processes share the directory; one that cannot be written to costs time only.

    Args:
        circumstances: what else a measurement depends on, such as the threads of a run. The processor and
            the runtime's version are always part of it.
    """

    def __init__(self, directory: Path, circumstances: str) -> None:
        self._directory = directory
        said = f"{ort.__version__} {_processor()} {circumstances}"
        self._suffix = f".{hashlib.sha256(said.encode()).hexdigest()[:8]}.warmth"

    def of(self, digest: str) -> Warmth | None:
        """What was found, once that is certain."""
        times, best = self._read(digest)
        return best if times >= ENOUGH else None

    def add(self, digest: str, found: Warmth) -> Warmth:
        """Note a measurement; returns the quickest so far, with what joining was found to do now."""
        times, best = self._read(digest)
        if best is not None and best.rows == found.rows and best.cost.row_ns < found.cost.row_ns:
            found = replace(found, cost=best.cost)
        if math.isfinite(found.cost.row_ns):
            self._write(digest, times + 1, found)
        return found

    def _path(self, digest: str) -> Path:
        return self._directory / (digest.removeprefix("sha256:") + self._suffix)

    def _read(self, digest: str) -> tuple[int, Warmth | None]:
        try:
            told = orjson.loads(self._path(digest).read_bytes())
            found = Warmth(Cost(*told["cost"]), Batching(told["batching"]), int(told["rows"]))
            return int(told["times"]), found
        except (OSError, ValueError, KeyError, TypeError):
            return 0, None

    def _write(self, digest: str, times: int, found: Warmth) -> None:
        cost = found.cost
        numbers = (cost.fixed_ns, cost.element_ns, cost.elements, cost.unbounded)
        told = {"times": times, "cost": numbers, "batching": found.batching, "rows": found.rows}
        path = self._path(digest)
        partial = path.with_suffix(f".{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):
            partial.write_bytes(orjson.dumps(told))
            partial.replace(path)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # another system, whose processor changes as seldom
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
