"""A registry on disk with the commands over it, for tests of what people do with versions."""

from dataclasses import replace
from pathlib import Path

from gateway.core.keys import KeyRole
from gateway.core.signature import Signature, TensorSpec
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.adapters.sandbox import ProcessSandbox
from lifecycle.adapters.store import SqlStore
from lifecycle.commands.models import Models
from lifecycle.core.policy import Policy
from lifecycle.core.validation import GATES, Inspection, Limits
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Stage
from lifecycle.ports import Entry

SPEC = TensorSpec("x", "FP32", (-1, 3))
GOOD = Inspection(
    Signature((SPEC,), (TensorSpec("y", "FP32", (-1, 3)),)),
    tuple(Finding(gate, Verdict.PASS, "fine") for gate in GATES[:3]),
)


class FakeSandbox:
    """Says of every artifact what it is told to say."""

    def __init__(self) -> None:
        self.says = GOOD

    async def inspect(self, artifact: Path, limits: Limits, reference: Path | None = None) -> Inspection:
        assert artifact.name
        return self.says


class House:
    """A registry on disk and the commands over it."""

    def __init__(self, home: Path) -> None:
        self.store = SqlStore(f"sqlite:///{home / 'registry.db'}")
        self.artifacts = FileArtifacts(str(home / "artifacts"), home / "cache")
        self.sandbox = FakeSandbox()
        self.models = self.commands()
        self.real = Models(self.store, self.artifacts, ProcessSandbox(), lambda: 1000.0)

    def commands(self, approvals: int = 0, policy: Policy | None = None) -> Models:
        policy = policy or Policy({KeyRole.APPROVER: approvals})
        return Models(self.store, self.artifacts, self.sandbox, lambda: 1000.0, policy=lambda _: policy)

    def kinds(self) -> list[str]:
        return [record.kind for record in self.store.records("m")]

    def serve(self, number: int) -> None:
        """As the traffic commands leave it."""
        model, version = self.models.show("m")[0], self.models.version("m", number)
        changed = replace(model, revision=model.revision + 1, champion=number, weights=((number, 100.0),))
        self.store.commit(Entry("test", "traffic.set", "m"), changed, replace(version, stage=Stage.SERVING))
