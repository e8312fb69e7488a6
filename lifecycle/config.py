"""Settings of a Headrace: `HOME/headrace.toml`, overridden by what the command line names."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from gateway.config import GatewayConfig
from gateway.core.keys import KeyRole
from lifecycle.core.gates.cost import Budget
from lifecycle.core.governance.freeze import Freeze
from lifecycle.core.governance.policy import Policy
from lifecycle.core.governance.retention import Retention
from lifecycle.core.governance.webhook import key_of
from lifecycle.core.inspection import Limits
from lifecycle.core.validation import GATES, Standards
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.faults import told


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Control(_Section):
    """The control loop."""

    tick_s: float = Field(0.2, gt=0, description="between two looks at rollouts, at the least")
    default_plan: str = Field("quick", description="the plan of a rollout that names none")


class Validation(_Section):
    """What a version may cost, to serve and to inspect. `docs/validation.md` says how it is judged."""

    latency_budget_ms: float | None = Field(None, gt=0, description="of one warm row")
    latency_budget_ratio: float | None = Field(None, gt=0, description="of the champion's")
    memory_budget_mb: float | None = Field(None, gt=0, description="of a loaded version")
    tolerance: float = Field(1e-4, ge=0, description="of golden and batched numbers")
    process_memory_mb: int = Field(2048, ge=256, description="of the process that inspects a version")
    process_s: int = Field(60, ge=1, description="how long that process may take")
    largest_file_mb: int = Field(1024, ge=1, description="of an artifact")

    @property
    def limits(self) -> Limits:
        return Limits(
            memory_mb=self.process_memory_mb,
            cpu_seconds=self.process_s,
            wall_seconds=self.process_s,
            max_bytes=self.largest_file_mb << 20,
        )

    @property
    def standards(self) -> Standards:
        budget = Budget(self.latency_budget_ms, self.latency_budget_ratio, self.memory_budget_mb)
        return Standards(budget, self.tolerance)


Approvals = Annotated[int, Field(ge=0)] | dict[KeyRole, Annotated[int, Field(ge=0)]]
"""People other than the submitter who must approve: how many approvers, or how many by least role."""


def _known_gate(gate: str) -> str:
    if gate not in GATES:
        raise ValueError(f"{gate!r} is not a gate; gates are {', '.join(GATES)}")
    return gate


Gates = frozenset[Annotated[str, AfterValidator(_known_gate)]]


class ModelGovernance(_Section):
    """What one model asks for instead; what is left out is as for all."""

    approvals: Approvals | None = None
    gates: Gates | None = None
    signature: Literal["optional", "required"] | None = None
    trusted: tuple[Path, ...] | None = None
    retraining_key: Path | None = None


class FreezeWindow(_Section):
    """A time in which nothing that changes traffic begins: between two moments, on some days, or both."""

    name: str = Field(min_length=1, max_length=100)
    begins: datetime | None = Field(None, alias="from")
    ends: datetime | None = Field(None, alias="until")
    days: frozenset[str] = Field(frozenset(), description="mon, tue, wed, thu, fri, sat, sun")
    zone: str = Field("UTC", description="of `days`, e.g. Europe/Berlin")
    models: tuple[str, ...] = Field((), description="names, or prefixes that end in `*`; all if empty")

    @model_validator(mode="after")
    def _is_a_window(self) -> Self:
        self.freeze()
        return self

    def freeze(self) -> Freeze:
        """Raises ValueError for what is no window."""
        try:
            zone = ZoneInfo(self.zone)
        except (KeyError, ValueError):
            raise ValueError(f"there is no time zone {self.zone!r}") from None
        return Freeze(self.name, self.begins, self.ends, self.days, zone, self.models)


class Governance(_Section):
    """What versions must show before they may serve, when traffic stands still, and the admin API's names."""

    approvals: Approvals = Field(0, description="people who must approve, or how many by role; 0: none")
    gates: Gates = Field(frozenset(), description="gates that must pass, not only not fail")
    signature: Literal["optional", "required"] = Field("optional", description="of packages")
    trusted: tuple[Path, ...] = Field((), description="PEM public keys and CAs of who may sign packages")
    retraining_key: Path | None = Field(None, description="PEM private key that retraining signs with")
    models: dict[str, ModelGovernance] = Field(default_factory=dict, description="the same, for one model")
    freezes: tuple[FreezeWindow, ...] = Field((), description="when traffic stands still")
    admin_hosts: tuple[str, ...] = Field((), description="host names besides loopback and `gateway.host`")

    def policy_of(self, model: str, home: Path = Path()) -> Policy:
        """`home` is what the paths of trusted files are relative to."""
        own = self.models.get(model, ModelGovernance())
        approvals = self.approvals if own.approvals is None else own.approvals
        if isinstance(approvals, int):
            approvals = {KeyRole.APPROVER: approvals}
        gates = self.gates if own.gates is None else own.gates
        trusted = self.trusted if own.trusted is None else own.trusted
        signed = (own.signature or self.signature) == "required"
        key = own.retraining_key or self.retraining_key
        files = tuple(str(home / path) for path in trusted)
        return Policy(approvals, gates, signed, files, str(home / key) if key else "")


class Ledger(_Section):
    """How often the ledger's head is signed and kept outside the database."""

    checkpoint_every_records: int = Field(100, ge=1, description="at most")
    checkpoint_every_s: float = Field(60.0, gt=0, description="at most; nothing new, no checkpoint")


class Drift(_Section):
    """What live traffic is compared with."""

    live_reference_rows: int = Field(
        2_000, ge=0, description="of its first traffic make the reference of a version without data; 0: none"
    )


class Captures(_Section):
    """How much of the predictions that are kept whole stays on the disk; the oldest go first."""

    keep_mb: int = Field(2_048, ge=1, description="of each model")
    keep_total_mb: int = Field(20_480, ge=1, description="of all; the model that takes the most loses first")
    keep_days: float = Field(90.0, gt=0, description="labels and numbers too")


class Labels(_Section):
    """What comes in as feedback."""

    per_minute: int = Field(1_000_000, ge=1, description="labels of one caller")
    trusted: tuple[str, ...] = Field((), description="callers whose labels are never suspect as a whole")
    horizon_days: float = Field(90.0, gt=0, description="a label counts so long after its prediction")


class Webhook(_Section):
    """Where ledger records are sent as they are written; see `docs/webhooks.md`."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="of one receiver; never given to another")
    url: str = Field(pattern=r"^https?://")
    secret: SecretStr = Field(description="`whsec_` and at least 24 bytes in base64")
    old_secret: SecretStr | None = Field(None, description="the one before, while receivers change over")
    kinds: tuple[str, ...] = Field((), description="`rollout` or `rollout.promote`; none for everything")

    @field_validator("secret", "old_secret")
    @classmethod
    def _holds_a_key(cls, secret: SecretStr | None) -> SecretStr | None:
        try:
            if secret is not None:
                key_of(secret.get_secret_value())
        except LifecycleError as error:
            raise ValueError(error.message) from None
        return secret

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those that messages are signed with."""
        both = (self.secret, self.old_secret)
        return tuple(secret.get_secret_value() for secret in both if secret is not None)


class RetentionRule(_Section):
    """How long files in the artifact store are kept; see `headrace collect`."""

    retired_days: float = Field(90.0, ge=0, description="those of a retired version")
    unreferenced_hours: float = Field(24.0, ge=1, description="those that nothing refers to")

    def seconds(self) -> Retention:
        return Retention(self.retired_days * 86_400, self.unreferenced_hours * 3_600)


class LifecycleConfig(_Section):
    """Settings of the controller and of the gateway it looks after.

    `store` is a SQLAlchemy URL, `artifacts` and `checkpoints` are fsspec URIs; all lie in the home unless
    they are named.
    """

    gateway: GatewayConfig
    control: Control = Control()
    governance: Governance = Governance()
    validation: Validation = Validation()
    retention: RetentionRule = RetentionRule()
    ledger: Ledger = Ledger()
    drift: Drift = Drift()
    captures: Captures = Captures()
    labels: Labels = Labels()
    webhooks: tuple[Webhook, ...] = Field((), description="who is told of ledger records")
    store: str = Field("", description="SQLAlchemy URL of the registry; HOME/headrace.db")
    artifacts: str = Field("", description="fsspec URI of the artifacts; HOME/artifacts")
    checkpoints: str = Field("", description="fsspec URI of the ledger's checkpoints; HOME/checkpoints")

    @model_validator(mode="after")
    def _names_each_webhook(self) -> Self:
        names = [webhook.name for webhook in self.webhooks]
        if len(set(names)) != len(names):
            raise ValueError("two webhooks have one name")
        return self

    @property
    def store_url(self) -> str:
        return self.store or f"sqlite:///{self.gateway.home / 'headrace.db'}"

    @property
    def artifacts_uri(self) -> str:
        return self.artifacts or str(self.gateway.home / "artifacts")

    @property
    def checkpoints_uri(self) -> str:
        return self.checkpoints or str(self.gateway.home / "checkpoints")

    @property
    def keys_dir(self) -> Path:
        """The controller's own keys; for nobody else's eyes."""
        return self.gateway.home / "keys"


def load(home: Path, overrides: dict[str, Any]) -> LifecycleConfig:
    """Read the home's settings.

    Args:
        overrides: keys of `[gateway]` that win over the file; None values are left out.

    Raises:
        LifecycleError: INVALID, naming the file and each wrong key.
    """
    path = home / "headrace.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise LifecycleError(LifecycleCode.INVALID, message) from None
    except ValueError as error:  # of TOML, or of UTF-8
        raise LifecycleError(LifecycleCode.INVALID, f"{path} is not valid TOML: {error}") from None
    named = {key: value for key, value in overrides.items() if value is not None}
    gateway = data.pop("gateway", {})
    if not isinstance(gateway, dict):
        raise LifecycleError(LifecycleCode.INVALID, f"{path}: gateway is a section, `[gateway]`")
    try:
        return LifecycleConfig(gateway=gateway | named | {"home": home.resolve()}, **data)
    except ValidationError as error:
        raise LifecycleError(
            LifecycleCode.INVALID, f"wrong settings: {told(error, LifecycleConfig)}"
        ) from None


def renewed(running: GatewayConfig) -> GatewayConfig:
    """The gateway's settings for new workers of a node that runs: its ports and paths, all else read anew.

    Raises as `load` does.
    """
    new = load(running.home, {}).gateway
    sections = {"limits", "serving", "dedicated", "watching"}
    named = running.model_dump(exclude=sections) | new.model_dump(include=sections)
    try:
        return GatewayConfig.model_validate(named)
    except ValidationError as error:
        raise LifecycleError(LifecycleCode.INVALID, f"wrong settings: {told(error, GatewayConfig)}") from None
