"""Which Serve applications dedicated versions need, and when. Pure: nothing is started or ended here.

The order never varies: an application runs before a table names its version, and it ends when no worker
follows a table that names it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from gateway.core.placement import Placement, application_name
from gateway.core.report import WorkerReport
from gateway.core.routing import ModelRoute, VersionEntry


class Application(NamedTuple):
    """One dedicated version's own application."""

    name: str
    model: str
    entry: VersionEntry


class Phase(StrEnum):
    """How far the processes are that were asked for last; meanwhile older ones may serve."""

    STARTING = "starting"
    RUNNING = "running"
    GIVEN_UP = "given_up"
    DEAD = "dead"
    """Given up, with no older process either: nothing comes until the application is started again."""
    ENDING = "ending"


class State(NamedTuple):
    """An application as it is, and why it was given up, if it was."""

    phase: Phase
    reason: str = ""

    @property
    def started(self) -> bool:
        """Whether its start is over. A table then names its version, and workers say what becomes of it."""
        return self.phase in (Phase.RUNNING, Phase.GIVEN_UP, Phase.DEAD)


class Stayed(NamedTuple):
    """A version that is served on by its old processes, since no new ones came, and why."""

    model: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class Steps:
    """Applications to start, and names of those to end."""

    start: tuple[Application, ...]
    end: tuple[str, ...]


def applications(routes: Iterable[ModelRoute]) -> Iterator[Application]:
    """One for each dedicated version that the routes name."""
    for route in routes:
        for entry in route.versions:
            if entry.placement is Placement.DEDICATED:
                yield Application(
                    application_name(route.name, entry.version, entry.digest), route.name, entry
                )


def named(wanted: ModelRoute, before: ModelRoute | None, running: Collection[str]) -> ModelRoute:
    """The route that workers may follow now: a dedicated version stays as it was until its application runs.

    One that was in no table is left out until then; with traffic it cannot be, so workers wait for it.

    Args:
        before: the model's route in the table in force.
        running: names of applications whose start is over.
    """
    waiting = {app.entry.version for app in applications([wanted]) if app.name not in running}
    if not waiting:
        return wanted
    busy = {version for version, _ in wanted.weights} | set(wanted.shadows)
    entries = []
    for entry in wanted.versions:
        if entry.version in waiting:
            old = before.entry(entry.version) if before else None
            if old is not None and old.digest == entry.digest:
                entry = old
            elif entry.version not in busy:
                continue
        entries.append(entry)
    named = {entry.version for entry in entries}
    held = tuple(version for version in wanted.held if version in named)
    return replace(wanted, versions=tuple(entries), held=held)


def steps(
    wanted: Collection[Application],
    present: Mapping[str, State],
    dropped: Mapping[str, int],
    workers: Collection[WorkerReport],
    rested: Collection[str] = (),
) -> Steps:
    """What to do next.

    Args:
        wanted: what the stored state asks for.
        present: applications that there are.
        dropped: the first generation whose table does not name an application any more.
        rested: names of those that have been dead for long enough to be started again.
    """
    names = {application.name for application in wanted}
    oldest = min((report.generation for report in workers), default=None)
    left = {name for name, since in dropped.items() if oldest is not None and oldest >= since}
    end = (
        name for name, state in present.items() if name in left - names and state.phase is not Phase.ENDING
    )
    start = (app for app in wanted if app.name not in present or app.name in rested)
    return Steps(tuple(start), tuple(end))
