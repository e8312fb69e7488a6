"""Changes of a model's traffic. Each returns a new model, one revision on; none touches a worker."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from gateway.core.words import listed
from lifecycle.core.stages import SERVABLE, Stage
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError


def with_weights(
    model: Model,
    versions: Mapping[int, Version],
    weights: Mapping[int, float],
    shadows: Collection[int] | None = None,
) -> Model:
    """The model with live traffic split by hand.

    The champion keeps its title while it has any traffic, however little: its canaries own the low end of
    the sticky range, and a change of title would move every key. Without it the heaviest version takes over.

    Args:
        versions: all of this model's, by number.
        weights: percent by version, summing to 100; a version with 0 gets no traffic.
        shadows: versions that get copies; None leaves them as they are.

    Raises:
        LifecycleError: INVALID for weights that make no sense, NOT_FOUND for an unknown version,
            CONFLICT for one that may not serve.
    """
    for version, weight in weights.items():
        if not (math.isfinite(weight) and 0 <= weight <= 100):
            raise _invalid(f"the weight of version {version} is {weight:g}; weights are within 0 and 100")
    if abs(sum(weights.values()) - 100) > 1e-6:
        raise _invalid(f"the weights sum to {sum(weights.values()):g}; they must sum to 100")
    split = {version: weight for version, weight in sorted(weights.items()) if weight > 0}
    copies = model.shadows if shadows is None else tuple(sorted(set(shadows)))
    copies = copies if shadows is not None else tuple(v for v in copies if v not in split)
    for version in (*split, *copies):
        servable(model.name, versions, version)
    if both := set(split) & set(copies):
        raise _invalid(f"version {min(both)} cannot answer and shadow at once")
    heaviest = max(split, key=lambda version: (split[version], -version))
    champion = model.champion if model.champion in split else heaviest
    previous = model.previous if champion == model.champion else model.champion
    return replace(
        model,
        revision=model.revision + 1,
        champion=champion,
        previous=previous,
        weights=tuple(split.items()),
        shadows=copies,
        held=(),
    )


def holding(model: Model, held: Collection[int]) -> Model:
    """The model with exactly these versions kept in memory, whatever else has traffic."""
    return replace(model, revision=model.revision + 1, held=tuple(sorted(set(held))))


def shadowed(model: Model, version: int) -> Model:
    """The model with `version` seeing a copy of every request, all answers still the champion's."""
    others = tuple(shadow for shadow in model.shadows if shadow != version)
    return replace(
        model, revision=model.revision + 1, shadows=(*others, version), held=(model.champion, version)
    )


def canaried(model: Model, version: int, weight: float) -> Model:
    """The model with `weight` percent on `version` and the rest on its champion."""
    weights = ((model.champion, 100 - weight), (version, weight))
    return replace(
        model,
        revision=model.revision + 1,
        weights=weights,
        shadows=_without(model, version),
        held=(model.champion, version),
    )


def promoted(model: Model, version: int, champion: int) -> Model:
    """The model with all traffic on `version`, it and the old `champion` held for the bake time."""
    return replace(
        model,
        revision=model.revision + 1,
        champion=version,
        previous=champion,
        weights=((version, 100.0),),
        shadows=_without(model, version),
        held=(champion, version),
    )


def restored(model: Model, champion: int, previous: int, version: int) -> Model:
    """The model as it was before a rollout of `version`."""
    return replace(
        model,
        revision=model.revision + 1,
        champion=champion,
        previous=previous,
        weights=((champion, 100.0),),
        shadows=_without(model, version),
        held=(),
    )


def stopped(model: Model) -> Model:
    """The model without any traffic. Nothing of it stays loaded; its champion is remembered."""
    previous = model.champion or model.previous
    return replace(
        model,
        revision=model.revision + 1,
        champion=0,
        previous=previous,
        weights=(),
        shadows=(),
        held=(),
    )


def rolled_back(model: Model) -> Model:
    """The model with all traffic on its champion; or, if it was there already, on the champion before.

    Raises CONFLICT if there is no champion before.
    """
    if len(model.weights) > 1:
        return replace(model, revision=model.revision + 1, weights=((model.champion, 100.0),))
    if not model.previous:
        raise LifecycleError(
            LifecycleCode.CONFLICT, f"model {model.name!r} has no earlier champion to go back to"
        )
    return restored(model, model.previous, 0, model.previous)


def split(model: Model) -> dict[str, Any]:
    """What every ledger record of a traffic change tells, so that the past can be read from the ledger."""
    return {
        "champion": model.champion,
        "previous": model.previous,
        "weights": {str(version): weight for version, weight in model.weights},
        "shadows": list(model.shadows),
        "held": list(model.held),
        "revision": model.revision,
    }


def stages(moved: Iterable[Version]) -> dict[str, str]:
    """What a record of a traffic change tells besides: the new stages of the versions that it moved."""
    return {str(version.number): str(version.stage) for version in moved}


_ON_THE_WAY = {Stage.REGISTERED: "validate", Stage.VALIDATED: "approve", Stage.REJECTED: "validate"}
"""What brings a version nearer to traffic; nothing does from the other stages."""


def servable(model: str, versions: Mapping[int, Version], version: int) -> Version:
    """The version, if it may have traffic. Raises NOT_FOUND or CONFLICT."""
    found = versions.get(version)
    if found is None:
        there = listed(sorted(versions)) or "none"
        message = f"model {model!r} has no version {version}; there is {there}"
        raise LifecycleError(LifecycleCode.NOT_FOUND, message)
    if found.stage not in SERVABLE:
        message = f"version {version} is {found.stage}; only approved versions get traffic"
        if step := _ON_THE_WAY.get(found.stage):
            message += f": next is `headrace version {step} {model} {version}`"
        raise LifecycleError(LifecycleCode.CONFLICT, message)
    return found


def _without(model: Model, version: int) -> tuple[int, ...]:
    return tuple(shadow for shadow in model.shadows if shadow != version)


def _invalid(message: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.INVALID, message)
