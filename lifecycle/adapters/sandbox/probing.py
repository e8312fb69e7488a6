"""Questions that are put to a loaded version: odd rows, rows in company, and the time a row takes.

Runs in the inspector's confined process only.
"""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gateway.core.batching import Batching
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import FLOAT_KINDS, Array, joined
from gateway.errors import GatewayError
from gateway.runtime.session import Session, identity_model
from gateway.runtime.signature import signature_of
from gateway.runtime.warmup import warm
from lifecycle.core.inspection import Probe

Row = dict[str, Array]

MOST_TOGETHER = 32
INVENTED_ROWS = 8
MOST_RUNS = 50
MEASURE_S = 0.5
CLOSE = 1e-4

_FLOATS = (("NaN", np.nan), ("infinity", np.inf), ("-infinity", -np.inf), ("a number beyond measure", 6e4))
_TEXTS = (("an unknown category", "\N{OBJECT REPLACEMENT CHARACTER} never seen"), ("an empty text", ""))


def blank(signature: Signature) -> Row:
    """A row of zeros and empty texts; free dimensions are 1."""
    return {spec.name: _blank(spec) for spec in signature.inputs}


def _blank(spec: TensorSpec) -> Array:
    sizes = [1 if size == -1 else size for size in spec.shape]
    return np.full(sizes, b"", np.object_) if spec.dtype == np.object_ else np.zeros(sizes, spec.dtype)


def probe(session: Session, signature: Signature, plain: Row, integers: bool = True) -> Iterator[Probe]:
    """Run every odd row, beside a plain one where the first dimension is free.

    Args:
        integers: also those that may end the process.
    """
    alone = session.run(plain, ())
    odd_rows = [*_odd_rows(signature, plain), *(_lowest_rows(signature, plain) if integers else ())]
    for name, odd in odd_rows:
        rows = joined([plain, odd]) if signature.batched else odd
        try:
            answer = session.run(rows, ())
        except GatewayError:
            yield Probe(name, answered=False, kept=True, finite=True)
            continue
        kept = not signature.batched or all(_close(answer[key][:1], alone[key]) for key in alone)
        floats = [array for array in answer.values() if array.dtype.kind in FLOAT_KINDS]
        finite = all(bool(np.isfinite(array.astype(np.float64)).all()) for array in floats)
        yield Probe(name, answered=True, kept=kept, finite=finite)


def _odd_rows(signature: Signature, plain: Row) -> Iterator[tuple[str, Row]]:
    for spec in signature.inputs:
        if spec.dtype.kind in FLOAT_KINDS:
            for name, value in _FLOATS:
                odd = np.full_like(plain[spec.name], value)
                yield f"{name} in {spec.name!r}", {**plain, spec.name: odd}
        elif spec.dtype == np.object_:
            for name, text in _TEXTS:
                odd = np.full_like(plain[spec.name], text.encode())
                yield f"{name} in {spec.name!r}", {**plain, spec.name: odd}


def _lowest_rows(signature: Signature, plain: Row) -> Iterator[tuple[str, Row]]:
    """The processor ends whoever divides the lowest integer by -1, and the runtime does not look before."""
    signed = [spec for spec in signature.inputs if spec.dtype.kind == "i"]
    least = {spec.name: np.full_like(plain[spec.name], -1) for spec in signed}
    for spec in signed:
        odd = np.full_like(plain[spec.name], np.iinfo(spec.dtype.name).min)
        yield f"the lowest number in {spec.name!r}", {**plain, **least, spec.name: odd}


def together(
    session: Session, signature: Signature, rows: Row
) -> tuple[dict[str, Array], dict[str, Array]] | None:
    """Answers to some rows one by one and all at once; None where workers would not join rows.

    Args:
        rows: reference rows; empty for some that are made up.
    """
    if warm(lambda row: session.run(row, ()), signature, False).batching is Batching.OFF:
        return None
    if rows:
        chosen = {name: array[:MOST_TOGETHER] for name, array in rows.items()}
    else:
        rng = np.random.default_rng(0)
        chosen = joined([_invented(signature, rng) for _ in range(INVENTED_ROWS)])
    count = len(next(iter(chosen.values())))
    single = [session.run({name: a[i : i + 1] for name, a in chosen.items()}, ()) for i in range(count)]
    return joined(single), session.run(chosen, ())


def _invented(signature: Signature, rng: np.random.Generator) -> Row:
    row = blank(signature)
    # Other kinds of numbers may be places in a table, where most values are wrong.
    drawn = {
        name: rng.standard_normal(array.shape).astype(array.dtype)
        for name, array in row.items()
        if array.dtype.kind in FLOAT_KINDS
    }
    return row | drawn


def _close(ours: Array, theirs: Array) -> bool:
    if ours.dtype.kind in FLOAT_KINDS:
        wide, other = ours.astype(np.float64), theirs.astype(np.float64)
        return bool(np.allclose(wide, other, rtol=CLOSE, atol=CLOSE, equal_nan=True))
    return bool(np.array_equal(ours, theirs))


def latencies(sessions: Sequence[tuple[Session, Row]]) -> list[float]:
    """Median milliseconds of a warm call of each, measured in turns so that all see the same machine."""
    took: list[list[int]] = [[] for _ in sessions]
    for session, row in sessions:
        session.run(row, ())
    began = time.perf_counter()
    while not took[0] or (len(took[0]) < MOST_RUNS and time.perf_counter() - began < MEASURE_S):
        for (session, row), times in zip(sessions, took, strict=True):
            start = time.perf_counter_ns()
            session.run(row, ())
            times.append(time.perf_counter_ns() - start)
    return [float(np.median(times)) / 1e6 for times in took]


def wake_runtime() -> None:
    """Run a model of one node, so that what ONNX Runtime takes once is counted to no version (9 MB)."""
    artifact = identity_model()
    signature = signature_of(artifact)
    Session(artifact, signature).run(blank(signature), ())


def memory_mb() -> float:
    """Memory that the process has now, not what it once had."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
