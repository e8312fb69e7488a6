"""`headrace model limits`, `cache`, `memory` and `placement`: how a model is served, told or changed."""

from typing import Annotated, Any

import typer

from gateway.core.placement import Placement
from lifecycle.cli.options import URL, AsJson, IfRevision, Name, Url, connect
from lifecycle.terminal.screen import Steps, console, show_json
from lifecycle.terminal.tables import fields


def add_to(model: typer.Typer) -> None:
    for command in (limits, cache, memory, placement):
        model.command()(command)


def limits(
    name: Name,
    max_concurrency: Annotated[
        int | None, typer.Option(min=0, help="Requests at once, per worker; 0 for no limit.")
    ] = None,
    max_queue: Annotated[int | None, typer.Option(min=0, help="Requests that may wait beyond those.")] = None,
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Bound what a model takes of each worker; beyond it, requests are refused at once.

    What is not given stays as it is; with nothing given, the limits are shown.

    Example: `headrace model limits fraud --max-concurrency 8 --max-queue 32`
    """
    with connect(url) as client:
        told = client.model(name)
        if max_concurrency is not None or max_queue is not None:
            at_once = told["max_concurrency"] if max_concurrency is None else max_concurrency
            waiting = told["max_queue"] if max_queue is None and at_once else max_queue
            told = client.at_revision(if_revision).set_limits(
                name, max_concurrency=at_once, max_queue=waiting or 0
            )
    _tell(told, ("max_concurrency", "max_queue"), ("limits", limits_of(told)), as_json)


def cache(
    name: Name,
    max_mb: Annotated[
        int | None, typer.Option(min=0, help="MiB of answers per worker; 0 for no cache.")
    ] = None,
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Keep a model's answers for requests that come again with the very same tensors. Off by default.

    With nothing given, it is shown.

    Example: `headrace model cache fraud --max-mb 64`
    """
    with connect(url) as client:
        told = (
            client.model(name)
            if max_mb is None
            else client.at_revision(if_revision).set_cache(name, max_mb=max_mb)
        )
    held = told["cache_mb"] if max_mb is None else max_mb
    _tell(told | {"max_mb": held}, ("max_mb",), ("cache", cache_of(held)), as_json)


def memory(
    name: Name,
    resident: Annotated[
        bool | None,
        typer.Option("--resident/--by-demand", help="Keep it in memory, or load it when it is asked for."),
    ] = None,
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Keep what a model serves in every worker's memory, whatever the budget; or load it by demand.

    With nothing given, it is shown.

    Example: `headrace model memory fraud --resident`
    """
    with connect(url) as client:
        told = (
            client.model(name)
            if resident is None
            else client.at_revision(if_revision).set_memory(name, resident=resident)
        )
    _tell(told, ("resident",), ("memory", memory_of(told)), as_json)


def placement(
    name: Name,
    where: Annotated[
        Placement | None,
        typer.Argument(metavar="auto|inline|pool|dedicated", help="`auto` goes by what is measured."),
    ] = None,
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Say where a model's versions run. Returns when they do; no request notices the move.

    With nothing given, it is shown.

    Example: `headrace model placement fraud dedicated`
    """
    with connect(url) as client:
        if where is None:
            told = client.model(name)
        else:
            with Steps(as_json).step(f"Placing {name}", f"{name} is placed {where}"):
                told = client.at_revision(if_revision).set_placement(name, where)
    _tell(told, ("placement",), ("placement", told["placement"]), as_json)


def limits_of(model: dict[str, Any]) -> str:
    """Of a model, or of a change of its limits."""
    at_once, waiting = model["max_concurrency"], model["max_queue"]
    return f"{at_once} at once and {waiting} waiting, per worker" if at_once else "none"


def cache_of(max_mb: int) -> str:
    return f"{max_mb} MiB of answers per worker" if max_mb else "off"


def memory_of(model: dict[str, Any]) -> str:
    return "resident" if model["resident"] else "by demand"


def placed(version: dict[str, Any]) -> str:
    """Where a version runs now, and what a run was measured to take."""
    return (
        ", ".join(f"{way['placement']} ({_run(way['run_ms'])})" for way in version["placed"]) or "not loaded"
    )


def _run(ms: float | None) -> str:
    if ms is None:
        return "not measured"
    return f"{ms:.3g} ms a run" if ms >= 1 else f"{ms * 1000:.3g} µs a run"


def _tell(told: dict[str, Any], keys: tuple[str, ...], fact: tuple[str, str], as_json: bool) -> None:
    name = told.get("model") or told["name"]
    if as_json:
        shown = (*keys, "revision", "confirmed")
        show_json({"model": name, **{key: told[key] for key in shown if key in told}})
        return
    console().print(fields([("model", name), fact, ("revision", told["revision"])]))
