"""Models and their versions as the registry keeps them. Values are replaced, never edited."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from gateway.core.limits import UNLIMITED, ModelLimits
from gateway.core.placement import Placement
from gateway.core.ranges import OutputRange
from gateway.core.routing import ModelRoute, VersionEntry
from gateway.core.signature import Signature
from lifecycle.core.stages import SERVABLE, Stage
from lifecycle.core.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version comes from.

    Args:
        cause: free text, e.g. `drift on 41 features`.
        run: the training run, by whatever name its tracker gives it.
        code: what it was trained with, e.g. a repository and a commit.
        record: number of the ledger's record of what caused it, a drift for example; 0 for none.
    """

    parent: int | None = None
    recipe: str = ""
    data_digest: str = ""
    cause: str = "registered by hand"
    run: str = ""
    code: str = ""
    record: int = 0


@dataclass(frozen=True, slots=True)
class Approval:
    """One yes to a version: whose, when (Unix seconds), and what they said.

    `role` is that of their key; empty where keys are off, and where a policy approved.
    """

    by: str
    at: float
    role: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class PackageSignature:
    """A package's signature, found good at a time, Unix seconds.

    Args:
        signer: name of the trusted key or certificate that it was checked with.
        signer_digest: of that file, as it was then.
        bundle: where the signature file is kept, and its digest.
    """

    signer: str
    signer_digest: str
    bundle: str
    bundle_digest: str
    verified_at: float


@dataclass(frozen=True, slots=True)
class Description:
    """What only people can say of a version, for its model card. `tags` and `metrics` are free."""

    owner: str = ""
    intended_use: str = ""
    limitations: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable artifact of a model. `created_at` is Unix time in seconds.

    `placement` is dedicated where the version was seen to need much memory; a model's own comes first.
    `reference` is the Parquet file of rows that its profile was taken of, `golden` that of rows with the
    answers they must get; empty without one. `ranges` are what its outputs must lie in. `retired_at` is when
    it was put away; 0 if it was not. `live_rows` are those of its first traffic that the profile
    was taken of, 0 where that was data.
    """

    model: str
    number: int
    stage: Stage
    artifact: str
    digest: str
    signature: Signature
    submitter: str
    created_at: float
    profile: str = ""
    profile_digest: str = ""
    lineage: Lineage = field(default_factory=Lineage)
    evidence: tuple[Finding, ...] = ()
    approvals: tuple[Approval, ...] = ()
    placement: Placement = Placement.AUTO
    reference: str = ""
    reference_digest: str = ""
    description: Description = field(default_factory=Description)
    retired_at: float = 0.0
    package_signature: PackageSignature | None = None
    golden: str = ""
    golden_digest: str = ""
    ranges: tuple[OutputRange, ...] = ()
    live_rows: int = 0

    @property
    def source(self) -> str:
        """Where its reference profile comes from: `data`, `live` (its first traffic) or `none`."""
        if not self.profile:
            return "none"
        return "live" if self.live_rows else "data"

    @property
    def proven(self) -> bool:
        """Whether labelled rows showed that it is no worse than a champion."""
        gates = [found for found in self.evidence if found.name in ("accuracy", "newest", "holdout")]
        return any(found.verdict is Verdict.PASS and "champion" in found.numbers for found in gates)

    def as_json(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)} | {
            "stage": str(self.stage),
            "signature": self.signature.as_json(),
            "lineage": asdict(self.lineage),
            "evidence": [finding.as_json() for finding in self.evidence],
            "approvals": [asdict(approval) for approval in self.approvals],
            "description": asdict(self.description),
            "package_signature": asdict(self.package_signature) if self.package_signature else None,
            "ranges": [str(declared) for declared in self.ranges],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Version":
        signed = data.get("package_signature")
        converted = {
            "stage": Stage(data["stage"]),
            "signature": Signature.from_json(data["signature"]),
            "lineage": Lineage(**data["lineage"]),
            "evidence": tuple(map(Finding.from_json, data["evidence"])),
            "approvals": tuple(Approval(**approval) for approval in data["approvals"]),
            "description": Description(**data.get("description", {})),
            "package_signature": PackageSignature(**signed) if signed else None,
            "placement": Placement(data["placement"]),
            "ranges": tuple(map(OutputRange.parse, data.get("ranges", ()))),
        }
        return cls(**{**data, **converted})

    def entry(self, placement: Placement = Placement.AUTO) -> VersionEntry:
        """What workers need of it. A placement other than `auto` overrules the version's own."""
        return VersionEntry(
            self.number,
            self.artifact,
            self.digest,
            self.signature,
            self.profile,
            self.profile_digest,
            self.placement if placement is Placement.AUTO else placement,
            self.ranges,
        )


@dataclass(frozen=True, slots=True)
class Model:
    """A model and its traffic. Every change raises `revision` by one (compare-and-set).

    `held` are versions that stay in every worker's memory, with traffic or without: those of a rollout,
    from before its first step until after its bake time. With `resident`, all that are served do.
    `previous` is the champion before this one, where a rollback goes. `aliases` are names that people gave
    to versions; see `alias` for those that follow the traffic. `cache_mb` bounds the answers that each worker
    keeps; 0: none. `holdout` is the Parquet file of labelled rows that all versions are judged on; empty
    until some are frozen.
    """

    name: str
    revision: int
    created_at: float
    champion: int = 0
    previous: int = 0
    weights: tuple[tuple[int, float], ...] = ()
    shadows: tuple[int, ...] = ()
    held: tuple[int, ...] = ()
    recipe: str = ""
    limits: ModelLimits = UNLIMITED
    aliases: Mapping[str, int] = field(default_factory=dict)
    placement: Placement = Placement.AUTO
    resident: bool = False
    holdout: str = ""
    holdout_digest: str = ""
    cache_mb: int = 0

    def indispensable(self, versions: Mapping[int, "Version"], number: int) -> str:
        """Why a version that may serve, and is not in use, must not be retired; empty if it may be."""
        servable = {one.number for one in versions.values() if one.stage in SERVABLE}
        if number not in servable or number in self.loaded():
            return ""
        if self.previous == number:
            return "a rollback would go to it"
        return "" if servable - {number} else "it is the last version that may serve"

    def as_json(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)} | {
            "weights": [list(pair) for pair in self.weights],
            "shadows": list(self.shadows),
            "held": list(self.held),
            "limits": self.limits.as_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Model":
        weights = tuple((int(version), float(weight)) for version, weight in data["weights"])
        sets = {"shadows": tuple(data["shadows"]), "held": tuple(data["held"])}
        limits = ModelLimits.from_json(data.get("limits", {}))  # models stored before had none
        placement = Placement(data.get("placement", Placement.AUTO))
        settings = {"limits": limits, "placement": placement}
        return cls(**{**data, "weights": weights, **sets, **settings})

    def loaded(self) -> set[int]:
        """Versions that workers serve, or hold for it."""
        return {version for version, _ in self.weights} | set(self.shadows) | set(self.held)

    def route(self, versions: dict[int, Version]) -> ModelRoute:
        """The model's part of a route table. `versions` are this model's, by number."""
        return ModelRoute(
            self.name,
            tuple(versions[number].entry(self.placement) for number in sorted(self.loaded())),
            self.champion,
            self.weights,
            self.shadows,
            self.limits,
            self.held,
            self.resident,
            self.cache_mb,
            tuple(sorted(self.aliases.items())),
        )
