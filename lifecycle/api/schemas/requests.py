"""The admin API's JSON on its way in: unknown keys and values out of range are refused here."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, StringConstraints

from gateway.core.keys import KeyRole
from gateway.core.placement import Placement

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
VersionName = int | Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""A version's number or alias."""
Text = Annotated[str, StringConstraints(max_length=1000)]
LongText = Annotated[str, StringConstraints(max_length=10_000)]
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/@-]{0,99}$")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TrafficIn(_In):
    """Percent by version, summing to 100. Shadows that are not given stay as they are."""

    weights: dict[VersionName, Percent]
    shadows: list[VersionName] | None = None
    dry_run: bool = False


class LimitsIn(_In):
    """Per worker; 0 is no limit."""

    max_concurrency: Count = 0
    max_queue: Count = 0


class MemoryIn(_In):
    """`resident`: what the model serves stays in memory, whatever a worker's budget."""

    resident: bool


class CacheIn(_In):
    """MiB per worker; 0 keeps nothing."""

    max_mb: Annotated[int, Field(ge=0, le=1 << 20)] = 0


class PlacementIn(_In):
    placement: Placement


class ValidateIn(_In):
    """`allow_signature_change`: callers know that inputs or outputs differ from the champion's."""

    allow_signature_change: bool = False


class RolloutIn(_In):
    """`plan` is a preset's name, a plan, or empty for the default."""

    version: VersionName
    plan: str | dict[str, Any] = ""


class ApprovalIn(_In):
    comment: Text = ""


class DescriptionIn(_In):
    """What is left out stays as it is; a tag or metric that is null is taken away."""

    owner: Text | None = None
    intended_use: LongText | None = None
    limitations: LongText | None = None
    tags: dict[Label, Annotated[str, StringConstraints(max_length=200)] | None] = {}
    metrics: dict[Label, FiniteFloat | None] = {}


class AliasIn(_In):
    version: VersionName


class DeployIn(_In):
    plan: str | dict[str, Any] = ""


class ReasonIn(_In):
    reason: Text = ""


class KeyIn(_In):
    """`models` are names, or prefixes that end in `*`; none for every model. No `expires_s` is for ever.

    `owner` is the person whose key it is, where its name does not say so.
    """

    name: str
    role: KeyRole
    models: list[str] = []
    expires_s: float | None = None
    subject: Text = ""
    owner: Text = ""


Known = Annotated[FiniteFloat | None, Field(description="When it became known, Unix seconds; now if null.")]


def _scalar(value: object) -> object:
    # A union's own error speaks of its first member only.
    if not isinstance(value, bool | int | float | str):
        raise ValueError("a label is a number, a boolean or text; leave out what has none")
    return value


class LabelIn(_In):
    prediction_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    label: Annotated[bool | int | float | str, BeforeValidator(_scalar)]
    at: Known = None


class NumberIn(_In):
    """What a prediction brought, of a business metric: a conversion (0 or 1), a revenue, a cost."""

    prediction_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    value: FiniteFloat
    at: Known = None


class LabelsIn(_In):
    model: str
    labels: list[LabelIn] = []
    metrics: list[NumberIn] = []
