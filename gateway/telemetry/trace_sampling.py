"""How much is traced, of all models or of one: what the configuration says until clients say otherwise.

What they say stands in a file that the node's workers share, so it holds on all of them for as long as the
node runs. Counts are each worker's own. Knows nothing of spans.
"""

import contextlib
import fcntl
import os
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

ALL = ""
"""Names the setting of the models that have none of their own."""
ENDLESS = -1


@dataclass(frozen=True, slots=True)
class TraceSetting:
    """What clients have set. None: as the wider setting has it.

    Args:
        on: whether anything is traced.
        ratio: share of the requests traced whose callers say nothing, from 0 to 1.
        count: how many more of those; `ENDLESS` for no end.
        counted_from: Unix time in ns at which `count` was set; workers then count anew.
    """

    on: bool | None = None
    ratio: float | None = None
    count: int | None = None
    counted_from: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TraceSetting":
        """Fields of a newer Headrace are left out: in a rolling upgrade both read one file."""
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})

    def over(self, wider: "TraceSetting") -> "TraceSetting":
        """This one, completed by a wider one."""
        counted = wider if self.count is None else self
        return TraceSetting(
            wider.on if self.on is None else self.on,
            wider.ratio if self.ratio is None else self.ratio,
            counted.count,
            counted.counted_from,
        )


UNSET = TraceSetting()


class TraceSampling:
    """Decides what a worker traces. `refresh` may be called from a thread.

    Args:
        ratio: of the configuration.
        shared: the file of the node's workers; None keeps settings in this process.
    """

    def __init__(self, ratio: float, shared: Path | None = None) -> None:
        self._configured = TraceSetting(True, ratio, ENDLESS)
        self._shared = shared
        self._read: tuple[int, int] | None = None
        self._scopes: dict[str, _Scope] = {}
        self._take({})
        self.refresh()

    def admits(self, model: str, decided: bool) -> bool:
        """Whether a request may be traced. One whose caller has `decided` about its trace is not counted."""
        return self._scope(model).admits(decided)

    def setting(self, model: str = ALL) -> TraceSetting:
        """What holds for a model: nothing of it is None, and `count` is what this worker has left of it."""
        scope = self._scope(model)
        return replace(scope.setting, count=scope.left)

    def change(self, model: str, fields: Mapping[str, Any]) -> None:
        """Set fields of the setting of one model, or of `ALL`. None makes a field follow the wider one."""
        with self._alone():
            self.refresh()
            if "count" in fields:
                fields = {**fields, "counted_from": 0 if fields["count"] is None else time.time_ns()}
            changed = {**self._set, model: replace(self._set.get(model, UNSET), **fields)}
            self._take({name: held for name, held in changed.items() if held != UNSET})
            if self._shared is not None:
                written = self._shared.with_suffix(".new")
                written.write_bytes(orjson.dumps({name: asdict(held) for name, held in self._set.items()}))
                written.replace(self._shared)

    def refresh(self) -> None:
        """Take up what other workers were told. Costs a look at the file while there is nothing new."""
        if self._shared is None:
            return
        try:
            with self._shared.open("rb") as file:
                found = os.fstat(file.fileno())
                version = (found.st_ino, found.st_mtime_ns)
                if version == self._read:
                    return
                document = orjson.loads(file.read())
        except FileNotFoundError:  # nothing was set yet
            return
        self._take({name: TraceSetting.from_json(fields) for name, fields in document.items()})
        self._read = version

    def _scope(self, model: str) -> "_Scope":
        return self._scopes.get(model) or self._scopes[ALL]

    def _take(self, settings: Mapping[str, TraceSetting]) -> None:
        self._set = settings
        every = settings.get(ALL, UNSET).over(self._configured)
        scopes = {model: held.over(every) for model, held in settings.items()} | {ALL: every}
        # Replaced, never changed: a request may be looking its own up.
        self._scopes = {model: _Scope(held, self._scopes.get(model)) for model, held in scopes.items()}

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other worker changes the file."""
        if self._shared is None:
            yield
            return
        with self._shared.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class _Scope:
    """A setting in force, complete, and what is left of its count."""

    def __init__(self, setting: TraceSetting, before: "_Scope | None") -> None:
        self.setting = setting
        self.left = setting.count
        if before is not None and before.setting.counted_from == setting.counted_from:
            self.left = before.left
        self._on, self._ratio = setting.on, setting.ratio or 0.0

    def admits(self, decided: bool) -> bool:
        if decided or not self._on:
            return bool(self._on)
        if not self.left or random.random() >= self._ratio:
            return False
        if self.left > 0:
            self.left -= 1
        return True
