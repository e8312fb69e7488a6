"""Do the answers to the reference rows lie in what the version declares?"""

from collections.abc import Sequence

from gateway.core.ranges import OutputRange, outside
from lifecycle.core.inspection import Answers
from lifecycle.core.verdict import Finding, Verdict


def output_ranges(reference: Answers, ranges: Sequence[OutputRange]) -> Finding:
    """Every element of an output with a declared range lies in it."""
    if not ranges:
        return Finding("output_ranges", Verdict.PASS, "no output has a declared range")
    if not reference.outputs:
        return Finding("output_ranges", Verdict.INCONCLUSIVE, "there are no reference rows to run")
    rows = len(next(iter(reference.outputs.values())))
    for declared in ranges:
        bad = int(outside(reference.outputs[declared.output], declared).sum())
        if bad:
            reason = f"{bad} of {rows} reference rows are answered outside of {declared}"
            return Finding("output_ranges", Verdict.FAIL, reason, {"rows": rows, "bad_rows": bad})
    told = ", ".join(map(str, ranges))
    return Finding("output_ranges", Verdict.PASS, f"all outputs of {rows} rows lie in {told}", {"rows": rows})
