"""What is done to a home while it is down: its first key, and whether it may be opened to the network."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from gateway.core.keys import Key, KeyRole
from lifecycle.adapters.store import SqlStore
from lifecycle.commands.keys import Keys
from lifecycle.config import LifecycleConfig, load
from lifecycle.errors import LifecycleCode, LifecycleError

T = TypeVar("T")


def create_key(
    home: Path,
    name: str,
    role: KeyRole,
    *,
    actor: str,
    models: Sequence[str] = (),
    expires_s: float | None = None,
) -> tuple[Key, str]:
    """See `Keys.create`. The home is made if there is none; its controller must not be running."""
    home.mkdir(parents=True, exist_ok=True)
    return _with_keys(
        load(home, {}),
        lambda keys: keys.create(name, role, actor=actor, models=models, expires_s=expires_s),
    )


def check_home(home: Path, overrides: dict[str, Any]) -> None:
    """Whether `headrace up` may start here with these options; see `check_identity`."""
    check_identity(load(home, overrides))


def check_identity(config: LifecycleConfig) -> None:
    """Raises LifecycleError REFUSED if keys are required and there is no admin to make any."""
    if not config.gateway.identity:
        return
    config.gateway.home.mkdir(parents=True, exist_ok=True)
    now = time.time()
    if not _with_keys(config, lambda keys: any(_rules(key, now) for key in keys.list())):
        message = (
            f"callers of {config.gateway.host} need keys, and there is no admin's key yet; make one with "
            f"`headrace key create NAME --role admin --home {config.gateway.home}`"
        )
        raise LifecycleError(LifecycleCode.REFUSED, message)


def _rules(key: Key, now: float) -> bool:
    return key.role is KeyRole.ADMIN and key.wide and key.live(now)


def _with_keys(config: LifecycleConfig, ask: Callable[[Keys], T]) -> T:
    with closing(SqlStore(config.store_url)) as store:
        return ask(Keys(store, None, time.time))
