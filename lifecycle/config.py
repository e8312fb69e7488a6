"""Settings of a Headrace: `HOME/headrace.toml`, overridden by what the command line names."""

import tomllib
from pathlib import Path
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from gateway.config import GatewayConfig
from lifecycle.core.webhook import key_of
from lifecycle.errors import LifecycleCode, LifecycleError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Control(_Section):
    """The control loop."""

    tick_s: float = Field(0.2, gt=0)
    default_plan: str = Field("quick", description="the plan of a rollout that names none")
    confirm_s: float = Field(30.0, gt=0, description="how long a command waits for all workers")


class ModelGovernance(_Section):
    """What one model asks for instead."""

    approvals: int = Field(ge=0)


class Governance(_Section):
    """Who must agree before a version may serve, and by which names the admin API may be called."""

    approvals: int = Field(0, ge=0, description="people other than the submitter; 0 approves on request")
    models: dict[str, ModelGovernance] = Field(default_factory=dict)
    admin_hosts: tuple[str, ...] = Field((), description="host names besides loopback and `gateway.host`")

    def approvals_of(self, model: str) -> int:
        own = self.models.get(model)
        return self.approvals if own is None else own.approvals


class Ledger(_Section):
    """How often the ledger's head is signed and kept outside the database."""

    checkpoint_every_records: int = Field(100, ge=1)
    checkpoint_every_s: float = Field(60.0, gt=0, description="at most; nothing new, no checkpoint")


class Webhook(_Section):
    """Where ledger records are sent as they are written; see `docs/webhooks.md`."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="of one receiver; never given to another")
    url: str = Field(pattern=r"^https?://")
    secret: SecretStr = Field(description="`whsec_` and at least 24 bytes in base64")
    kinds: tuple[str, ...] = Field((), description="`rollout` or `rollout.promote`; none for everything")

    @field_validator("secret")
    @classmethod
    def _holds_a_key(cls, secret: SecretStr) -> SecretStr:
        try:
            key_of(secret.get_secret_value())
        except LifecycleError as error:
            raise ValueError(error.message) from None
        return secret


class LifecycleConfig(_Section):
    """Settings of the controller and of the gateway it looks after.

    `store` is a SQLAlchemy URL, `artifacts` and `checkpoints` are fsspec URIs; all lie in the home unless
    they are named.
    """

    gateway: GatewayConfig
    control: Control = Control()
    governance: Governance = Governance()
    ledger: Ledger = Ledger()
    webhooks: tuple[Webhook, ...] = ()
    store: str = ""
    artifacts: str = ""
    checkpoints: str = ""

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
        data = tomllib.loads(path.read_text()) if path.exists() else {}
        named = {key: value for key, value in overrides.items() if value is not None}
        gateway = data.pop("gateway", {}) | named | {"home": home.resolve()}
        return LifecycleConfig(gateway=gateway, **data)
    except tomllib.TOMLDecodeError as error:
        raise LifecycleError(LifecycleCode.INVALID, f"headrace.toml is not valid TOML: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise LifecycleError(LifecycleCode.INVALID, f"wrong settings: {faults}") from None
