"""Does a row get the same answer alone and in company? Workers join the rows of several callers."""

from lifecycle.core.gates.closeness import difference
from lifecycle.core.inspection import JoinedRows
from lifecycle.core.verdict import Finding, Verdict


def batching(seen: JoinedRows, tolerance: float) -> Finding:
    """Answers one by one equal those to all rows at once, up to `tolerance`."""
    if not seen.single:
        return Finding("batching", Verdict.PASS, "it takes one row at a time, so no rows are joined")
    rows = len(next(iter(seen.single.values())))
    fault, largest = difference(seen.together, seen.single, tolerance)
    numbers = {"rows": float(rows), "largest_difference": largest, "tolerance": tolerance}
    if fault:
        return Finding("batching", Verdict.FAIL, f"{fault} when {rows} rows run together", numbers)
    return Finding("batching", Verdict.PASS, f"{rows} rows get the same answers alone and together", numbers)
