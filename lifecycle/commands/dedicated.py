"""Keeps one Serve application for each dedicated version, so that what is stored comes true."""

import asyncio
import logging
from collections.abc import Mapping

from lifecycle.commands.publish import Publisher
from lifecycle.core.dedicated import Phase, State, Stayed, applications, steps
from lifecycle.ports import Applications, Fleet

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
"""How often Serve is asked; never while there is nothing to ask about."""
REST_S = 60.0
"""After Serve has given an application up: what keeps its processes from starting may be over by then."""


class Dedicated:
    """Compares, every half second, the applications that should be with those that are."""

    def __init__(self, publisher: Publisher, fleet: Fleet, serve: Applications) -> None:
        self._publisher = publisher
        self._fleet = fleet
        self._serve = serve
        self._present: Mapping[str, State] = {}
        self._dropped: dict[str, int] = {}
        self._dead: dict[str, float] = {}
        """Since when, by name."""
        self._looked_at = 0.0
        self._resting = False

    async def look(self) -> None:
        """See what runs; the next table names what does."""
        self._present = await asyncio.to_thread(self._serve.states)
        started = (name for name, state in self._present.items() if state.started)
        self._publisher.running = frozenset(started)

    async def tick(self, now: float) -> None:
        """One look, and what follows from it. `now` is in seconds."""
        wanted = list(applications(self._publisher.wanted()))
        if self._resting or now - self._looked_at < LOOK_EVERY_S or not (wanted or self._present):
            return
        self._looked_at = now
        await self.look()
        if self._publisher.behind():
            self._publisher.publish()
        self._note_dropped()
        dead = (name for name, state in self._present.items() if state.phase is Phase.DEAD)
        self._dead = {name: self._dead.get(name, now) for name in dead}
        rested = {name for name, since in self._dead.items() if now - since >= REST_S}
        todo = steps(wanted, self._present, self._dropped, self._fleet.workers(), rested)
        for application in todo.start:
            log.info("starting the application %s", application.name)
            await asyncio.to_thread(self._serve.start, application)
        for name in todo.end:
            log.info("no worker needs the application %s any more", name)
            await asyncio.to_thread(self._serve.end, name)

    async def renew(self) -> tuple[Stayed, ...]:
        """Replace all processes by ones of the installed code and the present settings, new ones first.

        Returns once they run or were given up; the versions are named whose old processes go on.
        """
        await self.look()
        asked = [each for each in applications(self._publisher.wanted()) if each.name in self._present]
        refused = {each.name: await asyncio.to_thread(self._serve.renew, each) for each in asked}
        states = await asyncio.to_thread(self._serve.states)
        while any(state.phase is Phase.STARTING for name, state in states.items() if name in refused):
            await asyncio.sleep(LOOK_EVERY_S)
            states = await asyncio.to_thread(self._serve.states)
        reasons = {name: reason or states[name].reason for name, reason in refused.items() if name in states}
        return tuple(
            Stayed(each.model, each.entry.version, reasons[each.name])
            for each in asked
            if reasons.get(each.name)
        )

    def _note_dropped(self) -> None:
        table = self._fleet.table
        in_table = {application.name for application in applications(table.models.values())}
        gone = {name for name in self._present if name not in in_table}
        self._dropped = {name: self._dropped.get(name, table.generation) for name in gone}

    def rest(self) -> None:
        """Start and end nothing from here on: the node is going down."""
        self._resting = True
