"""A registry on disk with the commands over it, for tests of what people do with versions."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from gateway.core.keys import KeyRole
from gateway.core.signature import Signature, TensorSpec
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.captures.log import ParquetCaptures
from lifecycle.adapters.profiles import Profiles
from lifecycle.adapters.sandbox.process import ProcessSandbox
from lifecycle.adapters.sql.store import SqlStore
from lifecycle.commands.registry.models import Models
from lifecycle.commands.registry.trial import Trial
from lifecycle.commands.registry.validation import Validation
from lifecycle.core.governance.policy import Policy
from lifecycle.core.inspection import Inspection, Limits
from lifecycle.core.rollouts.plan import preset
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.stages import Stage
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.ports import Entry, Sandbox

SPEC = TensorSpec("x", "FP32", (-1, 3))
GOOD = Inspection(
    Signature((SPEC,), (TensorSpec("y", "FP32", (-1, 3)),)),
    tuple(Finding(gate, Verdict.PASS, "fine") for gate in ("structure", "load", "warm_up")),
)


class FakeSandbox:
    """Says of every artifact what it is told to say."""

    def __init__(self) -> None:
        self.says = GOOD

    async def inspect(
        self,
        artifact: Path,
        limits: Limits,
        rows: Mapping[str, Path] | None = None,
        beside: Path | None = None,
    ) -> Inspection:
        assert artifact.name
        return self.says


class House:
    """A registry on disk and the commands over it: `models` and `validation` told what to see, or `real`."""

    def __init__(self, home: Path) -> None:
        self.store = SqlStore(f"sqlite:///{home / 'registry.db'}")
        self.artifacts = FileArtifacts(str(home / "artifacts"), home / "cache")
        self.captures = ParquetCaptures(home / "captures")
        self.read = Profiles(self.store, self.artifacts).reference
        self.sandbox = FakeSandbox()
        self.models, self.validation = self.commands()
        self.real, self.judged = self.commands(sandbox=ProcessSandbox())

    def commands(
        self, approvals: int = 0, sandbox: Sandbox | None = None, policy: Policy | None = None
    ) -> tuple[Models, Validation]:
        asked, rules = sandbox or self.sandbox, policy or Policy({KeyRole.APPROVER: approvals})
        models = Models(self.store, self.artifacts, asked, lambda: 1000.0, policy=lambda _: rules)
        trial = Trial(self.artifacts, asked, self.captures, self.read)
        return models, Validation(self.store, self.artifacts, models, trial, self.read)

    def kinds(self) -> list[str]:
        return [record.kind for record in self.store.records("m")]

    def serve(self, number: int) -> None:
        """As the traffic commands leave it."""
        model, version = self.models.show("m")[0], self.models.version("m", number)
        changed = replace(model, revision=model.revision + 1, champion=number, weights=((number, 100.0),))
        self.store.commit(Entry("test", "traffic.set", "m"), changed, replace(version, stage=Stage.SERVING))

    async def waiting_rollout(self, write: Callable[..., Path]) -> None:
        """Version 1 serves; 2 is approved and in a rollout of which no worker holds anything yet."""
        for number in (1, 2):
            await self.models.register("m", write(slope=number), actor="ann")
            await self.validation.validate("m", number, "ann")
        self.serve(1)
        rollout = Rollout("r1", "m", 2, 1, preset("quick"), 1000.0, "ann", paused_at=1000.0)
        self.store.commit(Entry("ann", "rollout.start", "m"), rollout)
