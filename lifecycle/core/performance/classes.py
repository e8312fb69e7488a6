"""The classes that a version answers, and labels that no answer of it can agree with."""

from collections.abc import Mapping, Sequence

import numpy as np

from gateway.core.binning import Categorical
from gateway.core.profile import Profile
from gateway.core.signature import TensorSpec
from gateway.core.types import Array
from lifecycle.core.performance.answers import class_output, spelled

FEWEST_OF_A_KIND = 10
"""Values that come less often than this in the reference data, on average, are no classes."""
MOST_TOLD = 5


def classes(outputs: Sequence[TensorSpec], profile: Profile | None, labels: Array) -> frozenset[str]:
    """What a version's answers and the labels of its reference data name, spelled as `spelled` does.

    Empty if that is not known: it answers numbers, or the reference data are missing or too few. Of scores
    [N, K] the classes are their places, 0 to K - 1.

    Args:
        profile: of the version's reference data; None without any.
        labels: of the reference data, [N]; empty without any.
    """
    answered = class_output(outputs)
    if answered is None:
        wide = next((spec.shape[1] for spec in outputs if len(spec.shape) == 2 and spec.shape[1] > 1), 0)
        return frozenset(map(str, range(wide)))
    key = f"outputs.{answered.name}"
    feature = next(iter(profile.features.get(key, ())), None) if profile is not None else None
    if profile is None or not isinstance(feature, Categorical) or feature.open or feature.tail:
        return frozenset()
    if profile.reference[key].sum() < FEWEST_OF_A_KIND * len(feature.values):
        return frozenset()
    named = np.array(feature.values, np.object_) if answered.datatype == "BYTES" else np.array(feature.values)
    return frozenset(np.concatenate([spelled(named), spelled(np.unique(labels))]).tolist())


def misfit(outputs: Sequence[TensorSpec], named: frozenset[str], labels: Array) -> str:
    """Why labels can only be meant for another model: they would all count as wrong answers. Else empty.

    Args:
        named: what `classes` found.
        labels: [N], float64, int64 or text.
    """
    answered = class_output(outputs)
    if answered is None:
        return ""
    are = f"as its output {answered.name!r} is"
    if answered.datatype == "BYTES":
        words = labels.dtype.kind not in "if" or not named or any(map(_is_number, named))
        return "" if words else f"words, {are} ({_list(sorted(named))}); these hold numbers"
    if labels.dtype.kind not in "if":
        numbers = all(map(_is_number, map(str, labels.tolist())))
        return "" if numbers else f"numbers, {are}; these hold words"
    fraction = next((label for label in labels.tolist() if label != int(label)), None)
    return "" if fraction is None else f"whole numbers, {are}; these hold {fraction:g}"


def unfamiliar(named: frozenset[str], labels: Mapping[str, int]) -> dict[str, int]:
    """Labels that are none of the classes, with how many there are, the most frequent first."""
    strange = {label: count for label, count in labels.items() if named and label not in named}
    return dict(sorted(strange.items(), key=lambda item: (-item[1], item[0])))


def _list(names: Sequence[str]) -> str:
    told = ", ".join(repr(name[:40]) for name in names[:MOST_TOLD])
    return f"{told}, …" if len(names) > MOST_TOLD else told


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
