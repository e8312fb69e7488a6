"""Following a deployment until the version answers live traffic, or is turned back."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import typer

from lifecycle.cli.rollout_text import describe
from lifecycle.client import Client
from lifecycle.client.operation import VersionName
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import Steps

POLL_S = 0.5
AWAY_S = 300.0
"""How long what is followed may be unknown: a database is seldom away for longer, and then a person looks."""

T = TypeVar("T")


@contextmanager
def leaving(model: str) -> Iterator[None]:
    """Ctrl-C ends the looking on, not the rollout, and that is said."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"the rollout goes on; `headrace rollout abort {model}` would end it", file=sys.stderr)
        raise typer.Exit(130) from None


def once_known(look: Callable[[], T], say: Callable[[str], object]) -> T:
    """What `look` finds, as soon as the controller and its database are there to tell.

    A rollout goes on by itself after they were away, so whoever follows it does, too. `say` is told why
    nothing is seen. Raises as `look` does; UNAVAILABLE only after `AWAY_S`.
    """
    ends, told = time.monotonic() + AWAY_S, False
    while True:
        try:
            return look()
        except LifecycleError as error:
            if error.code is not LifecycleCode.UNAVAILABLE or time.monotonic() > ends:
                raise
            if not told:
                say(f"waiting to look again: {error.message}")
                told = True
        time.sleep(POLL_S)


def follow_deployment(
    client: Client, model: str, number: VersionName, plan: str | dict[str, Any], steps: Steps
) -> dict[str, Any]:
    """Deploy a version and wait; returns the API's deployment.

    Raises:
        LifecycleError: REFUSED if the rollout ended before the version answered anybody.
    """
    with steps.step(f"Deploying version {number}: validate, approve, load"):
        answer = client.deploy(model, number, plan)
    steps.say(answer["message"])
    if answer["rollout"] is None:
        version, champion = answer["version"], answer["traffic"]["champion"]
        if champion == version["number"]:
            steps.note(f"`headrace model example {model}` prints a first request")
        elif version["stage"] == "validated":
            steps.note(f"next: `headrace version approve {model} {version['number']}`, by somebody else")
        return answer
    answers = f"version {number} answers live traffic"
    with leaving(model), steps.step("Waiting for its first live traffic", answers):
        rollout = _first_traffic(client, model, answer["rollout"], steps)
    steps.note(f"follow it with `headrace rollout watch {model}`")
    return answer | {"traffic": client.traffic(model), "rollout": rollout}


def _first_traffic(client: Client, model: str, rollout: dict[str, Any], steps: Steps) -> dict[str, Any]:
    seen = ""
    while not rollout["weight"]:
        if not rollout["active"]:
            message = (
                f"the rollout of version {rollout['version']} is {rollout['phase']}: {rollout['reason']}"
            )
            raise LifecycleError(LifecycleCode.REFUSED, message)
        if (now := describe(rollout)) != seen:
            seen = now
            steps.waits(now)
        time.sleep(POLL_S)
        rollout = once_known(lambda: client.rollout(model), steps.waits)
    return rollout
