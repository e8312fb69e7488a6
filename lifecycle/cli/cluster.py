"""`headrace up`, `down`, `status` and `demo`: a whole node, from the outside."""

import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lifecycle.cli import daemon
from lifecycle.cli.options import HOME, URL, AsJson, Home, Url, connect
from lifecycle.client import DEFAULT_URL, Client
from lifecycle.core.moments import duration
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.remains import stop, sweep
from lifecycle.terminal.screen import Steps, console, show, show_json, when
from lifecycle.terminal.tables import fields, table


class Edge(StrEnum):
    HAPROXY = "haproxy"
    DIRECT = "direct"


SUCCESSOR_S = 120.0
"""How long a new controller may take to start."""

Port = Annotated[int | None, typer.Option(min=1, max=65535)]
DemoPort = Annotated[int, typer.Option(min=1, max=65535)]


def add_to(app: typer.Typer) -> None:
    for command in (up, down, status, upgrade, demo):
        app.command(rich_help_panel="The cluster")(command)


def up(
    home: Home = HOME,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")] = None,
    http_port: Port = None,
    grpc_port: Port = None,
    admin_port: Port = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Worker processes.")] = None,
    address: Annotated[
        str | None, typer.Option(metavar="IP", help="By which a cluster's other nodes reach this one.")
    ] = None,
    join: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Join the cluster with this admin API, with an admin's key."),
    ] = None,
    edge: Annotated[Edge | None, typer.Option(help="What stands in front of the workers.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once it is ready; keep it running.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start a headrace on this machine. What is not given comes from HOME/headrace.toml.

    Without `--detach` it runs until Ctrl-C.

    Example: `headrace up --workers 2 --detach`

    A second machine joins one that began with `--address 10.0.0.5`:
    `headrace up --join http://10.0.0.5:8002 --address 10.0.0.6`
    """
    from lifecycle.offline import check_home  # opens the store: other commands start in half the time

    home = home.expanduser().resolve()
    named = {
        "host": host,
        "http-port": http_port,
        "grpc-port": grpc_port,
        "admin-port": admin_port,
        "workers": workers,
        "address": address,
        "join": join,
        "edge": edge and edge.value,
    }
    given = [f"--{name}={value}" for name, value in named.items() if value is not None]
    steps = Steps(as_json)
    overrides = {name.replace("-", "_"): value for name, value in named.items()}
    daemon.check_down(home)
    warning = check_home(home, overrides)
    process = daemon.start(home, given, detach=detach)
    with daemon.forwarding_signals(process):
        with steps.step("Starting headrace"):
            state = daemon.wait_ready(
                process,
                home,
                detached=detach,
                standing_by=lambda holder, why: steps.note(_standing_by(holder, why)),
            )
        steps.say(f"headrace {'stands by' if state.get('awaits') else 'is ready'} (pid {process.pid})")
        if warning:
            steps.note(warning)
        _show_addresses(state, as_json)
        if detach:
            return
        code = process.wait()
    raise typer.Exit(max(code, 0))


def _standing_by(holder: str, why: str) -> str:
    if why:
        return f"no cluster is ready at {holder} yet; this node joins once it is ({why})"
    return f"controller {holder} holds the lease; this node serves once that one has ended"


def _show_addresses(state: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(state)
        return
    host, scheme = state["host"], "https" if state.get("tls") else "http"
    told = [
        ("inference, HTTP", f"{scheme}://{host}:{state['http_port']}"),
        ("inference, gRPC", f"{host}:{state['grpc_port']}"),
        ("admin and UI", state.get("joins") or f"{scheme}://{host}:{state['admin_port']}"),
    ]
    if gpus := state.get("gpus"):
        unused = "unused: install onnxruntime-gpu in place of onnxruntime"
        told.append(("GPUs", f"{gpus:g}, {'for dedicated versions' if state['cuda'] else unused}"))
    console().print(fields(told))
    if (near := daemon.url_of(state)) != DEFAULT_URL:
        show(f"for other commands: export HEADRACE_URL={near}")


def down(home: Home = HOME, as_json: AsJson = False) -> None:
    """Stop the headrace of a home, letting requests in flight finish.

    After a node that died it ends the processes and removes the run folder that this one left behind.

    Example: `headrace down`
    """
    home = home.expanduser().resolve()
    steps = Steps(as_json)
    pid = daemon.running(home)
    session = daemon.session(home)
    if pid:
        with steps.step("Stopping headrace", f"headrace stopped (pid {pid})"):
            stop(pid)
    left = sweep(session)
    removed = daemon.tidy(home)
    daemon.forget(home)
    if as_json:
        show_json({"stopped": bool(pid), "left_behind": left, "removed": str(removed or "")})
    elif not pid and not left and not removed:
        others = " and ".join(map(str, daemon.homes()))
        show("nothing was running" + (f" in {home}; --home names one that is up: {others}" if others else ""))
    elif not pid:  # helpers that outlive a node by a moment are no news
        folder = f", {removed} removed" if removed else ""
        steps.say(f"tidied up after a node that had died: {left} processes ended{folder}")


def status(url: Url = URL, as_json: AsJson = False) -> None:
    """Show whether the cluster is ready, its workers, rollouts under way and alarms that stand.

    Example: `headrace status --json`
    """
    with connect(url) as client:
        answer, matters = client.status(), client.attention()
    if as_json:
        show_json(answer | {"matters": matters})
        return
    screen = console()
    screen.print(
        fields(
            [
                ("headrace", answer["version"]),
                ("ready", "yes" if answer["ready"] else "no"),
                ("generation", answer["generation"]),
                ("uptime", duration(answer["uptime_s"])),
            ]
        )
    )
    rows = [
        (each["worker"], each["generation"], each["loaded"], _memory(each), _reasons(each["failed"]))
        for each in answer["workers"]
    ]
    screen.print()
    headings = ["worker", "generation", "loaded", "memory", "failed"]
    screen.print(table(headings, rows, empty="no live workers", sentences=1))
    if matters:
        look = [(each["model"], each["matter"], when(each["since"]), each["says"]) for each in matters]
        screen.print()
        screen.print(table(["model", "to look at", "since (UTC)", ""], look, empty="", sentences=1))


def _memory(worker: dict[str, Any]) -> str:
    held, budget = (worker[name] / 2**20 for name in ("held_bytes", "budget_bytes"))
    return f"{held:.0f} of {budget:.0f} MiB"


def _reasons(versions: list[dict[str, Any]]) -> str:
    return "; ".join(f"{version['model']}/{version['version']}: {version['reason']}" for version in versions)


def upgrade(url: Url = URL, as_json: AsJson = False) -> None:
    """Replace every worker, and then the controller, by ones of the installed code; no request is lost.

    New workers start, load, warm and join the balancer before old ones leave it. Of `HOME/headrace.toml`, the
    sections `limits`, `serving`, `dedicated` and `watching` of `[gateway]` are read anew. While the
    controller is away, for some seconds, rollouts stand still.

    Exits 1 if dedicated versions found no room for new processes, or those did not start: old ones serve on.

    Example: `headrace upgrade`
    """
    steps = Steps(as_json)
    with connect(url) as client:
        with steps.step("Replacing the workers", "all workers are new"):
            answer = client.upgrade()
        before = answer["controller"]
        with steps.step("Replacing the controller", "the controller is new"):
            after = _successor(client, before)
    if as_json:
        show_json(answer | {"controller": {"before": before, "after": after}})
    else:
        workers, came = (" ".join(answer[name]) for name in ("before", "after"))
        console().print(fields([("before", f"{workers} {before}"), ("after", f"{came} {after}")]))
    if stayed := answer["stayed"]:
        message = (
            f"workers and controller are new, but old processes serve on for {_reasons(stayed)}; "
            "put that right (room is `cpus` and `gpus` of `[gateway.dedicated]`) and upgrade again"
        )
        raise LifecycleError(LifecycleCode.UNAVAILABLE, message)


def _successor(client: Client, before: str) -> str:
    """The name of the controller after `before`, once it and its workers are ready."""
    ends = time.monotonic() + SUCCESSOR_S
    while time.monotonic() < ends:
        time.sleep(0.2)
        with suppress(LifecycleError):  # nobody answers for a while
            found = client.status()
            if found["ready"] and found["info"]["controller"] != before:
                return str(found["info"]["controller"])
    message = "the workers are new, but no new controller is ready; see `headrace status` and `headrace logs`"
    raise LifecycleError(LifecycleCode.UNAVAILABLE, message)


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave the cluster running afterwards.")] = False,
    home: Annotated[Path | None, typer.Option(help="Where to keep state. [default: a new folder]")] = None,
    report: Annotated[Path, typer.Option(help="Where the report (HTML) goes.")] = Path("headrace-demo.html"),
    http_port: DemoPort = 8000,
    grpc_port: DemoPort = 8001,
    admin_port: DemoPort = 8002,
) -> None:
    """See it all happen: serve, canary, drift, retrain and swap under live traffic.

    Example: `headrace demo --report demo.html`
    """
    from lifecycle.demo import run  # needs scikit-learn, which no other command does

    ports = (http_port, grpc_port, admin_port)
    raise typer.Exit(run.main(keep=keep, home=home, report=report, ports=ports))
