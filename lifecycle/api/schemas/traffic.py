"""A model's traffic as JSON on its way out: who answers, how fast, and what a change of it did."""

import math
from collections.abc import Iterable
from typing import Self

from pydantic import BaseModel

from gateway.core.types import Role
from lifecycle.commands.traffic import Change
from lifecycle.core.recent import Rates
from lifecycle.core.version import Model


class RatesOut(BaseModel):
    """What a version did in the last minute or two. Latencies of its answers are in ms; None without any."""

    version: int
    role: Role
    requests_per_s: float
    error_rate: float
    invalid_rate: float
    p50_ms: float | None
    p99_ms: float | None

    @classmethod
    def of(cls, rates: Rates) -> "RatesOut":
        p50, p99 = (None if math.isnan(ms) else ms for ms in (rates.p50_ms, rates.p99_ms))
        return cls(
            version=rates.version,
            role=rates.role,
            requests_per_s=rates.requests_per_s,
            error_rate=rates.error_rate,
            invalid_rate=rates.invalid_rate,
            p50_ms=p50,
            p99_ms=p99,
        )


class TrafficOut(BaseModel):
    """Who answers. `weights` are percent by version; `shadows` get copies."""

    model: str
    revision: int
    champion: int
    weights: dict[int, float]
    shadows: list[int]

    @classmethod
    def of(cls, model: Model) -> "TrafficOut":
        return TrafficOut(
            model=model.name,
            revision=model.revision,
            champion=model.champion,
            weights=dict(model.weights),
            shadows=list(model.shadows),
        )


class LiveTrafficOut(TrafficOut):
    """Who answers, and what they do. `rates` are by version and role, of those that had traffic."""

    rates: list[RatesOut]

    @classmethod
    def live(cls, model: Model, rates: Iterable[Rates]) -> "LiveTrafficOut":
        return cls(**TrafficOut.of(model).model_dump(), rates=[RatesOut.of(each) for each in rates])


class ChangeOut(TrafficOut):
    """The traffic after a change.

    `load_seconds` passed until every worker held what was to get traffic, `confirm_seconds` from the
    switch until every worker had confirmed it. `frozen` says of a `dry_run` which freeze stands in its way.
    """

    confirmed: bool
    dry_run: bool
    load_seconds: float
    confirm_seconds: float
    frozen: str

    @classmethod
    def of_change(cls, change: Change, *, dry_run: bool = False, frozen: str = "") -> Self:
        return cls(
            **TrafficOut.of(change.model).model_dump(),
            confirmed=change.confirmed,
            dry_run=dry_run,
            load_seconds=change.load_seconds,
            confirm_seconds=change.confirm_seconds,
            frozen=frozen,
        )
