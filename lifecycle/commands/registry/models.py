"""A version's way into the registry and through governance: register, approve, reject, retire.

Never opens an artifact itself and never gives a version traffic. Every outcome is in the ledger.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from gateway.core.placement import Placement
from gateway.core.words import listed
from lifecycle.commands.lookup import find_model, find_version, find_versions, in_use, person
from lifecycle.commands.registry.intake import NOTHING, Intake, Package, SignatureFile, Stored, Submission
from lifecycle.commands.registry.siblings import before, present, ranges_after, refuse_others
from lifecycle.core.governance.policy import AUTOMATIC, Policy
from lifecycle.core.inspection import Limits
from lifecycle.core.stages import SERVABLE, Event, Stage, move
from lifecycle.core.version import Approval, Model, PackageSignature, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Artifacts, Entry, Sandbox, Store

NAME = re.compile(r"(?!\.|stats$)[A-Za-z0-9._-]{1,128}")
"""`/v2/models/stats` is the statistics of all models."""
POLICY = "policy"
"""Who approves where no person has to, in the ledger."""
UNASKED = 'no key is asked for or looked at here until `[gateway] keys` is "required"'
"""Why somebody with a key of their own is taken for another."""


class Models:
    """Commands on models and versions.

    Args:
        clock: Unix time in seconds.
        limits: what an artifact may cost while it is inspected.
        policy: a model's; the submitter of a version never counts among those who approve it.
        dedicated_above_mb: versions seen to need this much memory get processes of their own; 0: none do.
        find_recipe: raises LifecycleError if a recipe could not train; None to take any unseen.
    """

    def __init__(
        self,
        store: Store,
        artifacts: Artifacts,
        sandbox: Sandbox,
        clock: Callable[[], float],
        limits: Limits | None = None,
        policy: Callable[[str], Policy] = lambda _: AUTOMATIC,
        dedicated_above_mb: int = 0,
        find_recipe: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._dedicated_above_mb = dedicated_above_mb
        self._find_recipe = find_recipe
        self._intake = Intake(artifacts, sandbox, limits or Limits())

    def policy(self, model: str) -> Policy:
        return self._policy(model)

    def automatic(self, model: str) -> bool:
        """Whether a model's validated version needs nobody's approval."""
        return self._policy(model).automatic

    def list(self) -> Sequence[Model]:
        return self._store.models()

    def show(self, name: str) -> tuple[Model, Sequence[Version]]:
        """A model and its versions, lowest number first. Raises LifecycleError NOT_FOUND."""
        return find_model(self._store, name), self._store.versions(name)

    def version(self, name: str, number: int) -> Version:
        """Raises LifecycleError NOT_FOUND."""
        return find_version(self._store, name, number)

    async def register(
        self,
        name: str,
        artifact: Path,
        *,
        actor: str,
        if_revision: int | None = None,
        number: int | None = None,
        given: Submission = NOTHING,
    ) -> Version:
        """Store an ONNX file as a new version. Registering the same file again changes nothing.

        Args:
            number: the version's; None: the next, or the newest if it has the same file and is not retired.

        Raises:
            LifecycleError: INVALID for a bad name, number, placement, range or parent, UNSUPPORTED or REFUSED
                if the file is not a servable ONNX model or the recipe does not load, CONFLICT if the number
                is taken by another file, or by this one with other rows, ranges or recipe.
        """
        if not NAME.fullmatch(name):
            raise LifecycleError(
                LifecycleCode.INVALID,
                "a model's name has 1 to 128 letters, digits, dots, dashes and underscores, no dot first, "
                "and is not `stats`, a path of its own",
            )
        if number is not None and not 1 <= number < 2**31:
            raise LifecycleError(LifecycleCode.INVALID, "a version's number is 1 or higher")
        if if_revision is not None:
            find_model(self._store, name, if_revision)
        if (parent := given.lineage.parent) is not None and parent not in find_versions(self._store, name):
            message = f"model {name!r} has no version {parent} that this one could be made from"
            raise LifecycleError(LifecycleCode.INVALID, message)
        self._refuse_to_move(name, given.placement)
        known_recipes = {"", *(model.recipe for model in self._store.models(name))}
        if self._find_recipe and given.recipe not in known_recipes:
            await self._find_recipe(given.recipe)
        try:
            stored = await asyncio.to_thread(self._intake.store, artifact)
            if (known := present(self._store, name, number, stored.digest)) is not None:
                await asyncio.to_thread(refuse_others, known, given)
                return await self._sign_later(known, stored, given.signature, actor)
            signed = await self._intake.check(stored, given.signature, self._policy(name), self._clock())
            beside = before(self._store, name)
            package = await self._intake.inspect(stored, given.reference, given.golden, beside)
        except LifecycleError as error:
            if error.code in (LifecycleCode.REFUSED, LifecycleCode.UNSUPPORTED):
                self._store.commit(Entry(actor, "version.refused", name, {"reason": error.message}))
            raise
        return self._add(name, number, package, given, signed, actor)

    async def _sign_later(
        self, version: Version, stored: Stored, signature: SignatureFile | None, actor: str
    ) -> Version:
        if signature is None or version.package_signature is not None:
            return version
        signed = await self._intake.check(stored, signature, self._policy(version.model), self._clock())
        version = replace(self.version(version.model, version.number), package_signature=signed)
        return self._commit(actor, version, kind="signed", signer=signed.signer if signed else "")

    def _refuse_to_move(self, name: str, placement: Placement | None) -> None:
        present = next((model.placement for model in self._store.models(name)), placement)
        if placement is not None and placement is not present:
            raise LifecycleError(
                LifecycleCode.INVALID,
                f"model {name!r} is placed {present}; `headrace model placement {name} {placement}` moves it",
            )

    def _add(
        self,
        name: str,
        number: int | None,
        package: Package,
        given: Submission,
        signed: PackageSignature | None,
        actor: str,
    ) -> Version:
        # While the artifact was inspected another registration may have gone ahead.
        if (known := present(self._store, name, number, package.artifact.digest)) is not None:
            return known
        now = self._clock()
        model = next(iter(self._store.models(name)), None)
        version = Version(
            model=name,
            number=number or max(find_versions(self._store, name), default=0) + 1,
            stage=Stage.REGISTERED,
            artifact=package.artifact.uri,
            digest=package.artifact.digest,
            signature=package.signature,
            submitter=actor,
            created_at=now,
            profile=package.profile.uri,
            profile_digest=package.profile.digest,
            lineage=replace(given.lineage, recipe=given.lineage.recipe or given.recipe),
            reference=package.reference.uri,
            reference_digest=package.reference.digest,
            package_signature=signed,
            placement=Placement.DEDICATED if self._is_large(package) else Placement.AUTO,
            golden=package.golden.uri,
            golden_digest=package.golden.digest,
            ranges=ranges_after(before(self._store, name), given.ranges, package.signature),
        )
        changed: Sequence[Model] = ()
        settings: dict[str, str] = {}
        if model is None:
            placement = given.placement or Placement.AUTO
            changed = [Model(name, 1, now, recipe=given.recipe, placement=placement)]
            settings = {"recipe": given.recipe, "placement": str(placement)}
        elif given.recipe not in ("", model.recipe):
            changed = [replace(model, revision=model.revision + 1, recipe=given.recipe)]
            settings = {"recipe": given.recipe}
        detail = {"version": version.number, "digest": version.digest, "cause": version.lineage.cause}
        detail |= {"lineage": asdict(version.lineage)} | ({"signer": signed.signer} if signed else {})
        detail |= {"settings": settings} if settings else {}
        self._store.commit(Entry(actor, "version.registered", name, detail), *changed, version)
        return version

    def _is_large(self, package: Package) -> bool:
        return 0 < self._dedicated_above_mb <= package.memory_mb

    def approve(
        self,
        name: str,
        number: int,
        actor: str,
        *,
        role: str = "",
        comment: str = "",
        if_revision: int | None = None,
    ) -> Version:
        """Let a validated version serve, or count one of the approvals it needs.

        Args:
            role: the actor's, kept as evidence; empty where keys are off.

        Raises:
            LifecycleError: STALE, CONFLICT if it is not validated, FORBIDDEN for its submitter or a second
                vote, whichever of a person's keys is used.
        """
        find_model(self._store, name, if_revision)
        version = self.version(name, number)
        if version.stage in SERVABLE:
            return version
        stage = move(version.stage, Event.APPROVE)
        if not self.automatic(name):
            own = person(self._store, actor)
            if own == person(self._store, version.submitter):
                unknown = "" if role else f" ({UNASKED})"
                message = f"the submitter of a version cannot approve it; ask somebody else{unknown}"
                raise LifecycleError(LifecycleCode.FORBIDDEN, message)
            if any(person(self._store, approval.by) == own for approval in version.approvals):
                raise LifecycleError(
                    LifecycleCode.FORBIDDEN, "you have approved this version already; ask somebody else"
                )
        approval = Approval(actor, self._clock(), role, comment)
        approvals = (*version.approvals, approval)
        if self._policy(name).missing(approvals):
            stage = version.stage
        changed = replace(version, stage=stage, approvals=approvals)
        return self._commit(actor, changed, kind="approved", role=role, comment=comment)

    def reject(self, name: str, number: int, actor: str, *, if_revision: int | None = None) -> Version:
        """Take a version out of the running. Raises LifecycleError STALE, or CONFLICT while it is in use."""
        return self._withdraw(name, number, actor, Event.REJECT, if_revision)

    def retire(self, name: str, number: int, actor: str, *, if_revision: int | None = None) -> Version:
        """Put a version away for good; its evidence stays, its files for the time of the retention rule.

        Raises LifecycleError STALE, or CONFLICT while it is in use, has an alias or is indispensable.
        """
        model = find_model(self._store, name, if_revision)
        if called := sorted(alias for alias, meant in model.aliases.items() if meant == number):
            raise LifecycleError(
                LifecycleCode.CONFLICT,
                f"version {number} of {name!r} is called {listed(called)}; give each to another version with "
                f"`headrace model alias` or take it away with `headrace model unalias {name} {called[0]}`",
            )
        if reason := model.indispensable(find_versions(self._store, name), number):
            message = f"version {number} of {name!r} cannot be retired: {reason}; reject it if it is bad"
            raise LifecycleError(LifecycleCode.CONFLICT, message)
        return self._withdraw(name, number, actor, Event.RETIRE, if_revision)

    def _withdraw(self, name: str, number: int, actor: str, event: Event, if_revision: int | None) -> Version:
        model, version = find_model(self._store, name, if_revision), self.version(name, number)
        if in_use(self._store, name, number):
            raise LifecycleError(
                LifecycleCode.CONFLICT,
                f"version {number} of {name!r} is in use; move its traffic or end its rollout first",
            )
        version = replace(version, stage=move(version.stage, event))
        if version.stage is Stage.RETIRED:
            version = replace(version, retired_at=self._clock())
        # The model's revision rises too, so that traffic given at the same moment is refused.
        return self._commit(actor, version, model=replace(model, revision=model.revision + 1))

    def _commit(
        self,
        actor: str,
        version: Version,
        reason: str = "",
        *,
        kind: str = "",
        model: Model | None = None,
        **more: str,
    ) -> Version:
        told = {"reason": reason} | more
        detail = {"version": version.number, "stage": str(version.stage)}
        detail |= {name: text for name, text in told.items() if text}
        entry = Entry(actor, f"version.{kind or version.stage}", version.model, detail)
        self._store.commit(entry, *([model] if model is not None else []), version)
        return version
