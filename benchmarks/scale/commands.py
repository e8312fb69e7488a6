"""How long the admin API takes for what people ask, and how long the controller's ticks take."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from lifecycle.client import Client

_BUCKET = re.compile(r'headrace_controller_tick_seconds_bucket\{le="([^"]+)"\} (\S+)')


@dataclass(frozen=True, slots=True)
class Ticks:
    """Ticks of the controller by their length: upper bounds in seconds and how many were up to it."""

    counts: dict[float, float] = field(default_factory=dict)

    def since(self, before: "Ticks") -> "Ticks":
        return Ticks({bound: n - before.counts.get(bound, 0.0) for bound, n in self.counts.items()})

    def quantile(self, q: float) -> float:
        """The bound in seconds that a share `q` of the ticks keeps; 0 without any."""
        total = max(self.counts.values(), default=0.0)
        return min((bound for bound, n in self.counts.items() if total and n >= q * total), default=0.0)


def ticks_of(exposition: str) -> Ticks:
    return Ticks({float(bound): float(n) for bound, n in _BUCKET.findall(exposition)})


def ticks(admin_url: str) -> Ticks:
    return ticks_of(httpx.get(f"{admin_url}/metrics", timeout=30).text)


@dataclass(frozen=True, slots=True)
class Took:
    """One command's times in seconds."""

    command: str
    seconds: list[float]


def timed(command: str, act: Callable[[str], object], models: Sequence[str]) -> Took:
    """Do it once per model."""
    seconds = []
    for model in models:
        started = time.perf_counter()
        act(model)
        seconds.append(time.perf_counter() - started)
    return Took(command, seconds)


def looks(client: Client, admin_url: str, models: Sequence[str]) -> Iterator[Took]:
    """What only reads."""
    yield timed("model list", lambda _: client.models(), models)
    yield timed("model list SEARCH --limit 50", lambda model: client.models(model[:8], limit=50), models)
    yield timed("model show", lambda model: (client.model(model), client.versions(model)), models)
    yield timed("traffic show", lambda model: client.traffic(model), models)
    with httpx.Client(base_url=admin_url, timeout=30) as browser:

        def page(_: str) -> None:
            browser.get("/v1/status").raise_for_status()
            browser.get("/v1/models", params={"limit": 50}).raise_for_status()

        yield timed("the page's overview", page, models)
    command = [sys.executable, "-m", "lifecycle.cli", "model", "show", "--url", admin_url]
    yield timed(
        "headrace model show, the whole process",
        lambda model: subprocess.run([*command, model], check=True, capture_output=True),
        models[:3],
    )


def changes(client: Client, models: Sequence[str]) -> Iterator[Took]:
    """What moves traffic: every worker has confirmed it when the command returns."""
    confirms: list[float] = []

    def one(model: str) -> None:
        confirms.append(client.set_traffic(model, {1: 100})["confirm_seconds"])

    yield timed("traffic set", one, models)
    yield Took("traffic set: from the switch to every worker", confirms)
    split = {1: 90.0, 2: 10.0}
    yield timed("traffic set, a version to load first", lambda m: client.set_traffic(m, split), models)
    for model in models:
        client.set_traffic(model, {1: 100})
    yield timed("rollout start", lambda model: client.start_rollout(model, "2"), models)
    yield timed("rollout abort", lambda model: client.abort(model), models)


def registrations(client: Client, artifact: Path, names: Sequence[str]) -> Took:
    return timed("model register and validate", lambda name: _register(client, artifact, name), names)


def _register(client: Client, artifact: Path, name: str) -> None:
    client.register(name, artifact)
    client.validate(name, 1)


@contextmanager
def ticking(admin_url: str, into: dict[str, Ticks], phase: str) -> Iterator[None]:
    """Note the ticks within the block."""
    before = ticks(admin_url)
    yield
    into[phase] = ticks(admin_url).since(before)
