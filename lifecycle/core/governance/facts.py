"""What the registry's rows say, in the words in which the ledger's records tell of them.

Only facts that records tell: evidence that a rollout gathers, for example, is no decision and has no record.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from gateway.core.keys import Key
from lifecycle.core import traffic
from lifecycle.core.rollouts.effect import standing
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Approval, Model, Version

Facts = Mapping[str, Any]
"""Facts of a row by name, as JSON."""


def model_row(name: str) -> str:
    return f"model {name!r}"


def version_row(model: str, number: object) -> str:
    return f"version {number} of {model!r}"


def rollout_row(model: str, rollout: str) -> str:
    return f"rollout {rollout} of {model!r}"


def key_row(name: str) -> str:
    return f"key {name!r}"


def of_model(model: Model) -> tuple[str, Facts]:
    split = traffic.split(model)
    del split["revision"]  # rises with changes of which the ledger tells otherwise
    return model_row(model.name), split | {
        "limits": model.limits.as_json(),
        "placement": str(model.placement),
        "resident": model.resident,
        "cache_mb": model.cache_mb,
        "aliases": dict(model.aliases),
        "holdout": model.holdout_digest,
        "recipe": model.recipe,
    }


def of_version(version: Version) -> tuple[str, Facts]:
    signed = version.package_signature
    return version_row(version.model, version.number), {
        "submitter": version.submitter,
        "stage": str(version.stage),
        "digest": version.digest,
        "lineage": asdict(version.lineage),
        "signer": signed.signer if signed else "",
        "evidence": [finding.as_json() for finding in version.evidence],
        "approvals": [approval(given) for given in version.approvals],
        "description": asdict(version.description),
    }


def approval(given: Approval) -> Facts:
    """Without its time, which is the record's but for some milliseconds."""
    return {"by": given.by, "role": given.role, "comment": given.comment}


def of_rollout(rollout: Rollout, active: bool) -> tuple[str, Facts]:
    fixed = ("version", "champion", "previous", "started_by")
    facts = {name: getattr(rollout, name) for name in fixed}
    facts |= {"plan": rollout.plan.as_json(), "active": active}
    return rollout_row(rollout.model, rollout.id), facts | standing(rollout)


def of_key(key: Key) -> tuple[str, Facts]:
    told = ("digest", "role", "models", "expires_at", "subject", "owner")
    return key_row(key.name), {name: value for name, value in key.as_json().items() if name in told} | {
        "revoked": bool(key.revoked_at)
    }


def rows(
    models: Iterable[Model],
    versions: Iterable[Version],
    rollouts: Iterable[Rollout],
    keys: Iterable[Key],
    active: Collection[str] = (),
) -> dict[str, Facts]:
    """By the name of each row.

    Args:
        active: ids of the rollouts that the registry gives to whoever asks for those that run.
    """
    return dict(
        [
            *map(of_model, models),
            *map(of_version, versions),
            *(of_rollout(rollout, rollout.id in active) for rollout in rollouts),
            *map(of_key, keys),
        ]
    )
