"""Kills the control plane at random moments of its writes, and looks for what it may not lose.

    python -m benchmarks.faults.kill_points [--points 1000] [--store sqlite|postgres] [--seed 1]

A child process registers versions, splits traffic by hand and drives rollouts, good ones and bad ones, with
workers that do what they are told. It says the hash of every ledger record once that is committed. After each
kill: the database is whole, the ledger verifies, every record that was said is there, and each rollout goes
on to the one outcome that its version deserves. Exits 1 at the first fault, naming the seed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NoReturn

from sqlalchemy import text

from benchmarks.faults.control_plane import ControlPlane
from benchmarks.load import machine
from lifecycle.adapters.sql.engine import open_engine
from lifecycle.commands.trail import trail
from lifecycle.core.governance.ledger import Head, verify
from lifecycle.core.rollouts.rollout import Phase
from tests.postgres import running

RESULTS = Path(__file__).resolve().parents[1] / "results"
LONGEST_LIFE_S = 0.3
POINTS_PER_DATABASE = 50
"""A new one now and then: the first writes into an empty one are kill points too."""

PROMOTION = "rollout.promote"
OUTCOMES = {"rollout.finish": Phase.PROMOTED, "rollout.roll_back": Phase.ROLLED_BACK}


@dataclass
class Tally:
    """What was seen."""

    points: int = 0
    acknowledged: int = 0
    interrupted: int = 0
    outcomes: Counter[Phase] = field(default_factory=Counter)


class Fault(Exception):
    """The control plane broke a promise."""


@dataclass
class Database:
    """One database through many kills. `head` is the last record known to be good."""

    url: str
    chance: random.Random
    tally: Tally
    head: Head = field(default_factory=Head)

    def kill_point(self) -> None:
        said = _killed(self.url, self.chance.uniform(0, LONGEST_LIFE_S))
        self.tally.points += 1
        self.tally.acknowledged += len(said)
        self._check(said)
        if self.chance.random() < 0.5:
            self.settle()  # else the next child resumes, and may be killed at that

    def settle(self) -> None:
        """Resume what was interrupted and see it through."""
        with contextlib.closing(ControlPlane(self.url)) as plane:
            self.tally.interrupted += bool(plane.store.rollouts(active=True))
            asyncio.run(plane.resume())

    def finish(self) -> None:
        """Every rollout that was ever begun has one outcome, the right one."""
        self.settle()
        with contextlib.closing(ControlPlane(self.url)) as plane:
            records = list(trail(plane.store))
            rollouts = plane.store.rollouts()
        ledger = Counter((r.detail["rollout"], OUTCOMES[r.kind]) for r in records if r.kind in OUTCOMES)
        promotions = Counter(r.detail["rollout"] for r in records if r.kind == PROMOTION)
        if any(number > 1 for number in promotions.values()):
            raise Fault("a version was promoted twice")
        deserved = Counter((found.id, _deserved(found.version)) for found in rollouts)
        stored = Counter((found.id, found.phase) for found in rollouts)
        if not ledger == deserved == stored:
            wrong = sorted({rollout for rollout, _ in [*(ledger - deserved), *(deserved - ledger)]})
            raise Fault(f"rollouts with no outcome, several, or the wrong one: {wrong}")
        self.tally.outcomes.update(phase for _, phase in stored)

    def _check(self, said: set[str]) -> None:
        if damage := _damage(self.url):
            raise Fault(f"the database is damaged: {damage}")
        with contextlib.closing(ControlPlane(self.url)) as plane:
            records = plane.store.records(after=self.head.seq, limit=1 << 20)
            problem = verify(records, plane.store.head(), start=self.head)
        if problem:
            raise Fault(f"the ledger does not verify: {problem}")
        if lost := said - {record.hash for record in records}:
            raise Fault(f"{len(lost)} acknowledged records are lost")
        if records:
            self.head = records[-1].head


def _deserved(version: int) -> Phase:
    return Phase.PROMOTED if version % 2 else Phase.ROLLED_BACK


def _damage(url: str) -> str:
    """What SQLite finds wrong with its file. A server's files are not what a killed client could harm."""
    engine = open_engine(url)
    if engine.dialect.name != "sqlite":
        return ""
    with engine.connect() as connection:
        found = str(connection.execute(text("PRAGMA integrity_check")).scalar())
    engine.dispose()
    return "" if found == "ok" else found


def _killed(url: str, life_s: float) -> set[str]:
    """Let a control plane work for a while and kill it; returns the records that it said were written."""
    heard, said = os.pipe()
    child = os.fork()
    if not child:
        os.close(heard)
        _work(url, said)
    os.close(said)
    time.sleep(life_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with os.fdopen(heard) as pipe:
        lines = pipe.read().split("\n")[:-1]
    if os.WIFEXITED(status):
        raise Fault("the control plane ended by itself; its error is above")
    return set(lines)


def _work(url: str, said: int) -> NoReturn:
    try:
        asyncio.run(ControlPlane(url, lambda record: os.write(said, f"{record}\n".encode())).work())
    except BaseException:
        traceback.print_exc()
    os._exit(3)


@contextlib.contextmanager
def _databases(store: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases; gives their URLs."""
    if store == "postgres":
        with running() as server:
            yield server.database
        return
    with tempfile.TemporaryDirectory(prefix="headrace-kills-") as folder:
        numbers = count()
        yield lambda: f"sqlite:///{folder}/{next(numbers)}.db"


def run(points: int, store: str, seed: int) -> Tally:
    """Raises Fault."""
    chance, tally = random.Random(seed), Tally()
    with _databases(store) as new:
        while tally.points < points:
            database = Database(new(), chance, tally)
            for _ in range(min(POINTS_PER_DATABASE, points - tally.points)):
                database.kill_point()
            database.finish()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for kill_points_STORE.json")
    options = parser.parse_args()
    facts, started = machine.facts(), time.monotonic()
    try:
        tally = run(options.points, options.store, options.seed)
    except Fault as fault:
        sys.exit(f"seed {options.seed}: {fault}")
    result = {"machine": facts, "seed": options.seed, "seconds": time.monotonic() - started, **vars(tally)}
    options.results.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2) + "\n"
    (options.results / f"kill_points_{options.store}.json").write_text(text, encoding="utf-8")
    ended = ", ".join(f"{number} {phase}" for phase, number in sorted(tally.outcomes.items()))
    print(
        f"{options.store}: {tally.points} kill points, {tally.acknowledged} acknowledged records, none lost; "
        f"{tally.interrupted} rollouts resumed; outcomes: {ended}"
    )


if __name__ == "__main__":
    main()
