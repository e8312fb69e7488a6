"""From a registered version to live traffic in one command: validate, approve, give traffic or roll out."""

from lifecycle.commands.governance.calendar import Calendar
from lifecycle.commands.registry.models import Models
from lifecycle.commands.registry.validation import Validation
from lifecycle.commands.rollouts import Rollouts
from lifecycle.commands.traffic import Traffic
from lifecycle.core.rollouts.plan import Plan
from lifecycle.core.stages import Stage
from lifecycle.errors import LifecycleCode, LifecycleError

EVERYTHING = 100.0


class Deploy:
    """Safe to repeat: what is done already is left as it is.

    Args:
        plan: the rollout of a version that has a champion to replace.
    """

    def __init__(
        self,
        models: Models,
        validation: Validation,
        traffic: Traffic,
        rollouts: Rollouts,
        plan: Plan,
        calendar: Calendar | None = None,
    ) -> None:
        self._calendar = calendar
        self._models = models
        self._validation = validation
        self._traffic = traffic
        self._rollouts = rollouts
        self._plan = plan

    async def deploy(
        self,
        name: str,
        number: int,
        actor: str,
        plan: Plan | None = None,
        *,
        override: str = "",
        if_revision: int | None = None,
    ) -> str:
        """Returns in a sentence what came of it. In a freeze that nobody overrides the version waits.

        Raises:
            LifecycleError: REFUSED if a gate fails or a worker cannot load the version, CONFLICT if it was
                rejected, if a required gate cannot be judged, or a rollout or hand-made traffic stands in the
                way, NOT_FOUND, STALE, UNAVAILABLE.
        """
        if self._models.version(name, number).stage is Stage.REJECTED:
            message = (
                f"version {number} of {name!r} was rejected: `headrace audit {name}` tells why; "
                f"`headrace version validate {name} {number}` has it judged anew"
            )
            raise LifecycleError(LifecycleCode.CONFLICT, message)
        version = await self._validation.validate(name, number, actor, if_revision=if_revision)
        if version.stage is Stage.VALIDATED:
            missing = self._models.policy(name).missing(version.approvals)
            by = f" by {missing} or above" if missing else ""
            return f"version {number} of {name!r} is validated and waits for approval{by}"
        model, _ = self._models.show(name)
        if model.champion == number:
            return f"version {number} of {name!r} is the champion already"
        if self._calendar and not override and (freeze := self._calendar.freeze(name)):
            if model.champion:  # what stands in its way beside the freeze is told first
                self._rollouts.draft(name, number, plan or self._plan, actor)
            again = f"version deploy {name} {number}"
            return (
                f"version {number} of {name!r} is approved and waits: {self._calendar.says(freeze)}; then "
                f"`headrace {again}`, or now, by an admin, `headrace --override REASON {again}`"
            )
        if not model.champion:
            await self._traffic.set(name, {number: EVERYTHING}, override=override, actor=actor)
            return f"version {number} of {name!r} has all traffic"
        rollout = self._rollouts.start(name, number, plan or self._plan, actor, override=override)
        return f"version {number} of {name!r} is in a rollout by the plan `{rollout.plan.name}`"
