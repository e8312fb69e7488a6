"""`/v1/models/{model}/versions`: registering versions, and what governance decides about them."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile

from gateway.core.placement import Placement
from gateway.core.ranges import OutputRange
from lifecycle.api.desk import Actor, AtDesk, Caller, Numbered, Override
from lifecycle.api.preconditions import IfRevision
from lifecycle.api.routes.rollouts import read_plan, shown
from lifecycle.api.schemas.requests import ApprovalIn, DeployIn, ValidateIn
from lifecycle.api.schemas.rollouts import DeploymentOut
from lifecycle.api.schemas.traffic import TrafficOut
from lifecycle.api.schemas.versions import LiveVersionOut, VersionOut, VersionsOut
from lifecycle.commands.registry.intake import SignatureFile, Submission
from lifecycle.core.version import Lineage, Version
from lifecycle.errors import LifecycleCode, LifecycleError

router = APIRouter(prefix="/v1/models/{model}/versions", tags=["versions"])


@router.get("")
async def list_versions(model: str, desk: AtDesk) -> VersionsOut:
    """A model's versions, lowest number first."""
    return VersionsOut(versions=[_live(desk, version) for version in desk.models.show(model)[1]])


@router.post("", status_code=201)
async def register(
    model: str,
    desk: AtDesk,
    actor: Actor,
    if_revision: IfRevision,
    artifact: Annotated[UploadFile, File(description="An ONNX file.")],
    reference: Annotated[UploadFile | None, File(description="Parquet rows of normal traffic.")] = None,
    golden: Annotated[UploadFile | None, File(description="Parquet rows with their answers.")] = None,
    signature: Annotated[UploadFile | None, File(description="OpenSSF Model Signing.")] = None,
    number: Annotated[int | None, Form(ge=1)] = None,
    recipe: Annotated[str, Form(max_length=500)] = "",
    parent: Annotated[int | None, Form(ge=1, lt=2**31, description="The version it was made from.")] = None,
    run: Annotated[str, Form(max_length=500, description="The training run.")] = "",
    code: Annotated[str, Form(max_length=500, description="Repository and commit.")] = "",
    data_digest: Annotated[str, Form(max_length=500, description="Digest of the training data.")] = "",
    placement: Annotated[Placement | None, Form(description="Where a new model's versions run.")] = None,
    output_range: Annotated[
        list[str] | None, Form(description="`score=0..1`: what an output lies in; any number of them.")
    ] = None,
) -> VersionOut:
    """Register an ONNX file. The same file again changes nothing."""
    try:
        ranges = tuple(map(OutputRange.parse, output_range or ()))
    except ValueError as error:
        raise LifecycleError(LifecycleCode.INVALID, str(error)) from None
    with tempfile.TemporaryDirectory(prefix="headrace-upload-") as folder:
        signed = None
        if signature is not None:
            path = await keep(signature, Path(folder) / "signature")
            signed = SignatureFile(path, artifact.filename or "")
        version = await desk.models.register(
            model,
            await keep(artifact, Path(folder) / "artifact"),
            actor=actor,
            if_revision=if_revision,
            number=number,
            given=Submission(
                reference=await keep(reference, Path(folder) / "reference") if reference else None,
                golden=await keep(golden, Path(folder) / "golden") if golden else None,
                recipe=recipe,
                lineage=Lineage(parent, recipe, data_digest, run=run, code=code),
                placement=placement,
                signature=signed,
                ranges=ranges,
            ),
        )
    return VersionOut.of(version)


async def keep(upload: UploadFile, path: Path) -> Path:
    """Write an upload to a file."""

    def copy() -> None:
        with path.open("wb") as file:
            shutil.copyfileobj(upload.file, file, 1 << 20)

    await asyncio.to_thread(copy)
    return path


@router.get("/{number}")
async def show_version(model: str, number: Numbered, desk: AtDesk) -> LiveVersionOut:
    """One version with its lineage, the evidence for it, and where it runs."""
    return _live(desk, desk.models.version(model, number))


def _live(desk: AtDesk, version: Version) -> LiveVersionOut:
    return LiveVersionOut.live(version, desk.placed(version.model, version.number))


@router.post("/{number}/validate")
async def validate(
    model: str,
    number: Numbered,
    desk: AtDesk,
    actor: Actor,
    if_revision: IfRevision,
    wanted: ValidateIn | None = None,
) -> VersionOut:
    """Run the gates, again if they were run before; answers when they are through."""
    allowed = wanted is not None and wanted.allow_signature_change
    version = await desk.validation.validate(
        model, number, actor, again=True, change_allowed=allowed, if_revision=if_revision
    )
    return VersionOut.of(version)


@router.post("/{number}/approve")
async def approve(
    model: str,
    number: Numbered,
    desk: AtDesk,
    actor: Actor,
    caller: Caller,
    if_revision: IfRevision,
    said: ApprovalIn | None = None,
) -> VersionOut:
    """Let a validated version serve, or count one of the approvals it needs."""
    role = str(caller.role) if caller.name else ""
    comment = said.comment if said else ""
    approved = desk.models.approve(model, number, actor, role=role, comment=comment, if_revision=if_revision)
    return VersionOut.of(approved)


@router.post("/{number}/reject")
async def reject(
    model: str, number: Numbered, desk: AtDesk, actor: Actor, if_revision: IfRevision
) -> VersionOut:
    """Take a version out of the running."""
    return VersionOut.of(desk.models.reject(model, number, actor, if_revision=if_revision))


@router.post("/{number}/retire")
async def retire(
    model: str, number: Numbered, desk: AtDesk, actor: Actor, if_revision: IfRevision
) -> VersionOut:
    """Put a version away for good."""
    return VersionOut.of(desk.models.retire(model, number, actor, if_revision=if_revision))


@router.post("/{number}/deploy")
async def deploy(
    model: str,
    number: Numbered,
    desk: AtDesk,
    actor: Actor,
    override: Override,
    if_revision: IfRevision,
    wanted: DeployIn | None = None,
) -> DeploymentOut:
    """Validate and approve it; then all traffic for a model's first version, a rollout for a later one."""
    plan = read_plan(desk, wanted.plan) if wanted and wanted.plan else None
    message = await desk.deploy.deploy(model, number, actor, plan, override=override, if_revision=if_revision)
    running = (rollout for rollout in desk.store.rollouts(model, active=True) if rollout.version == number)
    rollout = next(running, None)
    return DeploymentOut(
        message=message,
        version=VersionOut.of(desk.models.version(model, number)),
        traffic=TrafficOut.of(desk.traffic.show(model)),
        rollout=shown(desk, rollout) if rollout else None,
    )
