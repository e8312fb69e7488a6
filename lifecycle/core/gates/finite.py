"""Are all answers to the reference rows numbers?"""

import numpy as np

from gateway.core.types import FLOAT_KINDS
from lifecycle.core.inspection import Answers
from lifecycle.core.verdict import Finding, Verdict


def finite_outputs(reference: Answers) -> Finding:
    """Every float that the version answers to the reference rows is a number."""
    if not reference.outputs:
        return Finding("finite_outputs", Verdict.INCONCLUSIVE, "there are no reference rows to run")
    rows = len(next(iter(reference.outputs.values())))
    for name, array in reference.outputs.items():
        if array.dtype.kind not in FLOAT_KINDS:
            continue
        finite = np.isfinite(np.asarray(array, np.float64)).reshape(len(array), -1).all(axis=1)
        bad = int(len(array) - finite.sum())
        if bad:
            reason = f"output {name!r} holds NaN or infinity in {bad} of {rows} reference rows"
            return Finding("finite_outputs", Verdict.FAIL, reason, {"rows": rows, "bad_rows": bad})
    return Finding("finite_outputs", Verdict.PASS, f"all outputs of {rows} rows are finite", {"rows": rows})
