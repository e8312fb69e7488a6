"""The admin API's JSON, on its way out, as pydantic models: versions and what is known of them."""

import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Self

from pydantic import BaseModel

from gateway.core.placement import Placed, Placement
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Version


class FindingOut(BaseModel):
    """One judged question. `numbers.progress` is how near a guard is to its threshold, 0 to 1."""

    name: str
    verdict: Verdict
    reason: str
    numbers: dict[str, float | None]

    @classmethod
    def of(cls, finding: Finding) -> Self:
        return cls(
            name=finding.name, verdict=finding.verdict, reason=finding.reason, numbers=dict(finding.numbers)
        )


class TensorOut(BaseModel):
    name: str
    datatype: str
    shape: list[int]


class SignatureOut(BaseModel):
    inputs: list[TensorOut]
    outputs: list[TensorOut]


class LineageOut(BaseModel):
    parent: int | None
    recipe: str
    data_digest: str
    cause: str
    run: str
    code: str
    record: int


class ApprovalOut(BaseModel):
    """`at` is Unix seconds, 0 if it was not noted; `role` that of the key, empty without one."""

    by: str
    at: float
    role: str
    comment: str


class PackageSignatureOut(BaseModel):
    """`signer` is the trusted file that it was checked with, at a time in Unix seconds."""

    signer: str
    signer_digest: str
    bundle_digest: str
    verified_at: float


class DescriptionOut(BaseModel):
    """What people say of a version."""

    owner: str
    intended_use: str
    limitations: str
    tags: dict[str, str]
    metrics: dict[str, float]


class CardOut(BaseModel):
    """A version's model card, twice."""

    title: str
    markdown: str
    html: str


class VersionOut(BaseModel):
    """`created_at` and `retired_at` are Unix seconds; a version that is not retired has 0.

    `reference_source` is what drift is told from: `data`, `live` (`live_rows` of its traffic) or `none`.
    """

    model: str
    number: int
    stage: str
    digest: str
    signature: SignatureOut
    submitter: str
    created_at: float
    profile_digest: str
    reference_source: str
    live_rows: int
    lineage: LineageOut
    evidence: list[FindingOut]
    approvals: list[ApprovalOut]
    placement: Placement
    description: DescriptionOut
    retired_at: float
    package_signature: PackageSignatureOut | None
    output_ranges: list[str]

    @classmethod
    def of(cls, version: Version) -> Self:
        signed = version.package_signature
        return cls(
            model=version.model,
            number=version.number,
            stage=version.stage.value,
            digest=version.digest,
            signature=SignatureOut.model_validate(version.signature.as_json()),
            submitter=version.submitter,
            created_at=version.created_at,
            profile_digest=version.profile_digest,
            reference_source=version.source,
            live_rows=version.live_rows,
            lineage=LineageOut.model_validate(asdict(version.lineage)),
            evidence=[FindingOut.of(finding) for finding in version.evidence],
            approvals=[ApprovalOut.model_validate(asdict(approval)) for approval in version.approvals],
            placement=version.placement,
            description=DescriptionOut.model_validate(asdict(version.description)),
            retired_at=version.retired_at,
            package_signature=signed and PackageSignatureOut.model_validate(asdict(signed)),
            output_ranges=[str(declared) for declared in version.ranges],
        )


class PlacedOut(BaseModel):
    """Workers with the version in memory that run it in one way.

    `run_ms` is of a run of one row as measured when it was loaded, the slowest of them; None: not measured.
    """

    placement: Placement
    workers: int
    run_ms: float | None

    @classmethod
    def of(cls, placement: Placement, placed: Iterable[Placed]) -> Self:
        took = [each.run_ns for each in placed if each.placement is placement]
        slowest = max(took)
        return cls(
            placement=placement, workers=len(took), run_ms=slowest / 1e6 if math.isfinite(slowest) else None
        )


class LiveVersionOut(VersionOut):
    """A version, and where it runs: `placed` is empty while no worker has it in memory."""

    placed: list[PlacedOut]

    @classmethod
    def live(cls, version: Version, placed: tuple[Placed, ...]) -> Self:
        ways = sorted({each.placement for each in placed})
        told = [PlacedOut.of(placement, placed) for placement in ways]
        return cls(**VersionOut.of(version).model_dump(), placed=told)


class VersionsOut(BaseModel):
    versions: list[LiveVersionOut]
