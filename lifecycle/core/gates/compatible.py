"""Can whoever calls the champion call the candidate? Compares two signatures."""

from gateway.core.signature import Signature, TensorSpec
from lifecycle.core.verdict import Finding, Verdict


def compatible(candidate: Signature, champion: Signature | None, change_allowed: bool = False) -> Finding:
    """Same tensors; inputs at least as wide, outputs at most as wide.

    Args:
        change_allowed: a change was declared, so it is told and not failed.
    """
    if champion is None:
        return Finding("signature", Verdict.PASS, "the model's first version sets the signature")
    # A caller's input must fit the candidate; the candidate's output must fit what callers expect.
    fault = _mismatch("input", candidate.inputs, champion.inputs, widens=True) or _mismatch(
        "output", candidate.outputs, champion.outputs, widens=False
    )
    if not fault:
        return Finding("signature", Verdict.PASS, "inputs and outputs match the champion's")
    if change_allowed:
        return Finding("signature", Verdict.PASS, f"{fault}; the change was declared", {"changed": 1.0})
    reason = f"{fault}; callers of the champion would break unless they know (--allow-signature-change)"
    return Finding("signature", Verdict.FAIL, reason, {"changed": 1.0})


def _mismatch(
    side: str, candidate: tuple[TensorSpec, ...], champion: tuple[TensorSpec, ...], *, widens: bool
) -> str:
    mine, theirs = ({spec.name: spec for spec in specs} for specs in (candidate, champion))
    if missing := sorted(theirs.keys() - mine.keys()):
        return f"{side} {missing[0]!r} of the champion is missing"
    if extra := sorted(mine.keys() - theirs.keys()):
        return f"{side} {extra[0]!r} is not one of the champion's"
    for name, spec in mine.items():
        other = theirs[name]
        if spec.datatype != other.datatype:
            return f"{side} {name!r} is {spec.datatype}, the champion's is {other.datatype}"
        wide, narrow = (spec, other) if widens else (other, spec)
        if not wide.admits(narrow.shape):
            return f"{side} {name!r} has shape {list(spec.shape)}, the champion's has {list(other.shape)}"
    return ""
