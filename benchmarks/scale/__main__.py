"""Many models on one gateway, beside one model in the same run.

    python -m benchmarks.scale [--models 1000] [--versions 3] [--seconds 10] [--results DIR]

Registers some models the way people do, fills the registry with the rest, then measures starts, uniform
traffic (all in memory, and with a budget for half), the admin API's answers and the controller's ticks.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.load import machine
from benchmarks.load.environments import TOOLS, require
from benchmarks.load.question import Question, make
from benchmarks.scale import report
from benchmarks.scale.commands import Ticks, Took, changes, looks, registrations, ticking
from benchmarks.scale.load import uniform_load
from benchmarks.scale.registry import fill, name_of
from benchmarks.up import Ports, up
from gateway.config import GatewayConfig
from lifecycle.client import Client
from lifecycle.config import LifecycleConfig

RESULTS = Path(__file__).resolve().parents[1] / "results"
CONNECTIONS = 32
ASKED = 20
"""Times that each command is asked for."""
WARM_UP_S = 6
"""Until the express lane of every worker knows every version."""
MEMORY_TIMEOUT_S = 600.0


@dataclass
class Run:
    """What was measured so far."""

    home: Path
    question: Question
    models: Sequence[str]
    versions: int
    seconds: int
    loads: dict[str, Any] = field(default_factory=dict)
    commands: list[Took] = field(default_factory=list)
    ticks: dict[str, Ticks] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)

    def load(self, name: str, ports: Ports, models: Sequence[str]) -> None:
        for seconds in (WARM_UP_S, self.seconds):
            sample = uniform_load(ports.http, models, self.question, CONNECTIONS, seconds, self.home)
        self.loads[name] = asdict(sample)
        print(f"{name}: {sample.per_second:,.0f}/s, p99 {sample.p99_ms} ms", flush=True)

    def empty(self) -> None:
        """The first models, and how long one takes while there are few."""
        started = time.monotonic()
        with up(self.home) as ports:
            self.starts["up, no models"] = time.monotonic() - started
            names = [f"first-{number}" for number in range(5)]
            took = registrations(Client(ports.admin_url), self.question.artifact, names)
            self.commands.append(Took(f"{took.command}, the first 5", took.seconds))

    def filled(self) -> float:
        """All in memory; returns what that takes, in bytes per worker."""
        started = time.monotonic()
        with up(self.home) as ports:
            self.starts[f"up, {len(self.models):,} models"] = time.monotonic() - started
            client = Client(ports.admin_url)
            held = self._until_all_loaded(client)
            self.starts["until all are in memory"] = time.monotonic() - started
            with ticking(ports.admin_url, self.ticks, "uniform traffic"):
                self.load("one model", ports, self.models[:1])
                self.load(f"{len(self.models):,} models, all in memory", ports, self.models)
            some = self.models[:: max(len(self.models) // ASKED, 1)][:ASKED]
            with ticking(ports.admin_url, self.ticks, "commands"):
                self.commands += looks(client, ports.admin_url, some)
                self.commands += changes(client, some)
                names = [f"last-{number}" for number in range(5)]
                took = registrations(client, self.question.artifact, names)
                self.commands.append(Took(f"{took.command}, with {len(self.models):,} models", took.seconds))
        return held

    def _until_all_loaded(self, client: Client) -> float:
        wanted, ends = len(self.models) * self.versions, time.monotonic() + MEMORY_TIMEOUT_S
        while time.monotonic() < ends:
            workers = client.status()["workers"]
            if workers and all(worker["loaded"] >= wanted for worker in workers):
                return max(float(worker["held_bytes"]) for worker in workers)
            time.sleep(0.25)
        raise RuntimeError(f"not all of {wanted} versions are in memory after {MEMORY_TIMEOUT_S:.0f} s")

    def crowded(self, held_bytes: float) -> dict[str, Any]:
        """A budget for half of them."""
        budget = max(int(held_bytes / 2 / 2**20), 1)
        setting = f"[gateway.serving]\nmemory_budget_mb = {budget}\n"
        (self.home / "headrace.toml").write_text(setting, encoding="utf-8")
        started = time.monotonic()
        with up(self.home) as ports:
            self.starts[f"up, a budget of {budget} MiB"] = time.monotonic() - started
            before = _memory(Client(ports.admin_url))
            with ticking(ports.admin_url, self.ticks, "uniform traffic, half in memory"):
                self.load(f"{len(self.models):,} models, memory for half", ports, self.models)
            time.sleep(2)  # workers report every second
            after = _memory(Client(ports.admin_url))
        grown = {name: after[name] - before[name] for name in after}
        return {"all_mib": held_bytes / 2**20, "budget_mib": budget, **grown}


def _memory(client: Client) -> dict[str, int]:
    workers = client.status()["workers"]
    return {name: sum(worker[name] for worker in workers) for name in ("loads", "evictions")}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--models", type=int, default=1_000)
    parser.add_argument("--versions", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="length of one measurement")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for scale.json and scale.md")
    options = parser.parse_args()
    require(TOOLS)
    facts = machine.facts()
    names = [name_of(number) for number in range(options.models)]
    with tempfile.TemporaryDirectory(prefix="headrace-scale-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        run = Run(home, make("logistic", Path(folder)), names, options.versions, options.seconds)
        run.empty()
        fill(
            LifecycleConfig(gateway=GatewayConfig(home=home)), run.question, options.models, options.versions
        )
        memory = run.crowded(run.filled())
    result = {
        "machine": facts,
        "models": options.models,
        "versions": options.versions,
        "seconds": options.seconds,
        "loads": run.loads,
        "memory": memory,
        "commands": report.commands_of(run.commands),
        "ticks": report.ticks_of(run.ticks),
        "starts_s": run.starts,
    }
    report.write(options.results, result)
    print("\n" + report.table(result))


if __name__ == "__main__":
    main()
