"""The admin API's JSON on its way in: unknown keys and values out of range are refused here."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.core.keys import KeyRole

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
VersionNumber = Annotated[int, Field(ge=1)]
Text = Annotated[str, StringConstraints(max_length=1000)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TrafficIn(_In):
    """Percent by version, summing to 100. Shadows that are not given stay as they are."""

    weights: dict[VersionNumber, Percent]
    shadows: list[VersionNumber] | None = None
    dry_run: bool = False


class LimitsIn(_In):
    """Per worker; 0 is no limit."""

    max_concurrency: Annotated[int, Field(ge=0)] = 0
    max_queue: Annotated[int, Field(ge=0)] = 0


class RolloutIn(_In):
    """`plan` is a preset's name, a plan, or empty for the default."""

    version: VersionNumber
    plan: str | dict[str, Any] = ""


class DeployIn(_In):
    plan: str | dict[str, Any] = ""


class ReasonIn(_In):
    reason: Text = ""


class KeyIn(_In):
    """`models` are names, or prefixes that end in `*`; none for every model. No `expires_s` is for ever."""

    name: str
    role: KeyRole
    models: list[str] = []
    expires_s: float | None = None


class LabelIn(_In):
    prediction_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    label: bool | int | float | str


class LabelsIn(_In):
    model: str
    labels: Annotated[list[LabelIn], Field(min_length=1)]
