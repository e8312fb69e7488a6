"""`headrace model`: what is registered, and registering more."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.core.placement import Placement
from lifecycle.cli.follow import follow_deployment
from lifecycle.cli.options import URL, AsJson, Name, Url, connect
from lifecycle.cli.plans import read_plan
from lifecycle.cli.screen import Steps, console, fields, shares, show_json, table, when
from lifecycle.cli.versions import AllowChange, role_of

app = typer.Typer(help="Register models, list them, look at one.", no_args_is_help=True)

Artifact = Annotated[Path, typer.Argument(metavar="FILE.onnx", exists=True, dir_okay=False, readable=True)]
Reference = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.parquet",
        exists=True,
        dir_okay=False,
        help="Rows the version was trained on, with labels.",
    ),
]
Golden = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.parquet", exists=True, dir_okay=False, help="Rows, and the answers they must get."
    ),
]


@app.command()
def register(
    name: Name,
    artifact: Artifact,
    version: Annotated[int | None, typer.Option(min=1, help="Its number. [default: the next free]")] = None,
    reference: Reference = None,
    golden: Golden = None,
    signature: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Of the file, by `headrace model sign`."),
    ] = None,
    recipe: Annotated[str, typer.Option(metavar="MODULE:FUNCTION", help="What retrains the model.")] = "",
    parent: Annotated[int | None, typer.Option(min=1, help="The version it was made from.")] = None,
    run: Annotated[str, typer.Option(help="The training run, as its tracker calls it.")] = "",
    code: Annotated[str, typer.Option(help="What trained it, e.g. repository@commit.")] = "",
    data_digest: Annotated[str, typer.Option(help="Digest of the training data.")] = "",
    placement: Annotated[Placement | None, typer.Option(help="Where a new model's versions run.")] = None,
    output_range: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=LOW..HIGH", help="What an output lies in: an answer outside counts as invalid."
        ),
    ] = None,
    allow_signature_change: AllowChange = False,
    deploy: Annotated[bool, typer.Option("--deploy", help="Bring it into traffic.")] = False,
    plan: Annotated[str, typer.Option(help="Plan of the rollout: a preset or a TOML file.")] = "",
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Register an ONNX file as a version of a model, and validate it.

    With `--deploy` a model's first version gets all traffic; a later one starts a rollout.

    Example: `headrace model register fraud fraud.onnx --reference train.parquet --deploy`, with what callers
    may rely on: `--output-range score=0..1 --output-range label=0..9`
    """
    rollout_plan = read_plan(plan)
    steps = Steps(as_json)
    with connect(url) as client:
        with steps.step(f"Uploading {artifact.name}", f"uploaded {artifact.name}"):
            answer = client.register(
                name,
                artifact,
                number=version,
                reference=reference,
                golden=golden,
                signature=signature,
                recipe=recipe,
                placement=placement or "",
                output_ranges=output_range or (),
                parent=parent,
                run=run,
                code=code,
                data_digest=data_digest,
            )
        number = int(answer["number"])
        told = "registered" if answer["stage"] == "registered" else "nothing new: the same file is"
        steps.say(f"{told} {name} version {number} ({answer['digest'][:19]}…)")
        with steps.step(f"Validating version {number}", f"version {number} passes every gate"):
            answer = client.validate(name, number, allow_signature_change=allow_signature_change)
        if deploy:
            answer = follow_deployment(client, name, number, rollout_plan, steps)
        else:
            verb = "approve" if answer["stage"] == "validated" else "deploy"
            steps.note(f"next: `headrace version {verb} {name} {number}`")
    if as_json:
        show_json(answer)


@app.command("list")
def list_models(
    search: Annotated[str, typer.Argument(metavar="[SEARCH]", help="Part of a name.")] = "",
    after: Annotated[str, typer.Option(metavar="NAME", help="Go on behind this one.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="So many at most.")] = 10_000,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """List the models and who answers for them.

    Example: `headrace model list fraud --limit 20`
    """
    with connect(url) as client:
        models = client.models(search, after=after, limit=limit)
    if as_json:
        show_json(models)
        return
    rows = [
        (
            model["name"],
            model["champion"] or None,
            shares(model["weights"]),
            model["versions"],
            model["revision"],
        )
        for model in models
    ]
    empty = "no models yet; add one with `headrace model register NAME FILE.onnx`"
    console().print(table(["model", "champion", "traffic", "versions", "revision"], rows, empty=empty))


@app.command()
def show(name: Name, url: Url = URL, as_json: AsJson = False) -> None:
    """Show one model: its traffic and its versions.

    Example: `headrace model show fraud`
    """
    with connect(url) as client:
        model, versions = client.model(name), client.versions(name)
    if as_json:
        show_json(model | {"versions": versions})
        return
    screen = console()
    screen.print(fields(_facts(model)))
    screen.print()
    rows = [
        (
            version["number"],
            version["stage"],
            role_of(model, version["number"]),
            version["submitter"],
            when(version["created_at"]),
            version["lineage"]["cause"],
        )
        for version in versions
    ]
    headings = ["version", "stage", "role", "submitter", "registered (UTC)", "cause"]
    screen.print(table(headings, rows, empty="no versions"))


@app.command()
def holdout(
    name: Name,
    rows: Annotated[Path, typer.Argument(metavar="ROWS.parquet", exists=True, dir_okay=False)],
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Freeze labelled rows on which every version of a model is judged. Only this command replaces them.

    Example: `headrace model holdout fraud holdout.parquet`
    """
    with connect(url) as client:
        model = client.freeze_holdout(name, rows)
    if as_json:
        show_json(model)
        return
    console().print(f"versions of {name} are judged on {rows.name} ({model['holdout_digest'][:19]}…)")


@app.command()
def limits(
    name: Name,
    max_concurrency: Annotated[int, typer.Option(min=0, help="Requests at once; 0 for no limit.")] = 0,
    max_queue: Annotated[int, typer.Option(min=0, help="Requests that may wait beyond those.")] = 0,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Bound what a model takes of each worker; beyond it, requests are refused at once.

    Example: `headrace model limits fraud --max-concurrency 8 --max-queue 32`
    """
    with connect(url) as client:
        told = client.set_limits(name, max_concurrency=max_concurrency, max_queue=max_queue)
    if as_json:
        show_json(told)
        return
    shown = ("max_concurrency", "max_queue", "revision")
    console().print(fields([("model", name), *((key.replace("_", " "), told[key]) for key in shown)]))


@app.command()
def cache(
    name: Name,
    max_mb: Annotated[int, typer.Option(min=0, help="MiB of answers per worker; 0 for no cache.")] = 0,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Keep a model's answers for requests that come again with the very same tensors. Off by default.

    Example: `headrace model cache fraud --max-mb 64`
    """
    with connect(url) as client:
        told = client.set_cache(name, max_mb=max_mb)
    if as_json:
        show_json(told)
        return
    shown = ("max_mb", "revision")
    console().print(fields([("model", name), *((key.replace("_", " "), told[key]) for key in shown)]))


@app.command()
def memory(
    name: Name,
    resident: Annotated[
        bool,
        typer.Option("--resident/--by-demand", help="Keep it in memory, or load it when it is asked for."),
    ],
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Keep what a model serves in every worker's memory, whatever the budget; or load it by demand.

    Example: `headrace model memory fraud --resident`
    """
    with connect(url) as client:
        told = client.set_memory(name, resident=resident)
    if as_json:
        show_json(told)
        return
    console().print(fields([("model", name), ("memory", _memory(told)), ("revision", told["revision"])]))


def _memory(model: dict[str, Any]) -> str:
    return "resident" if model["resident"] else "by demand"


@app.command()
def placement(
    name: Name,
    where: Annotated[Placement, typer.Argument(help="`auto` leaves it to what is measured.")],
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Say where a model's versions run. Returns when they do; no request notices the move.

    Example: `headrace model placement fraud dedicated`
    """
    steps = Steps(as_json)
    with connect(url) as client, steps.step(f"Placing {name}", f"{name} is placed {where}"):
        told = client.set_placement(name, where)
    if as_json:
        show_json(told)
        return
    shown = ("model", "placement", "revision", "confirmed")
    console().print(fields([(key, told[key]) for key in shown]))


def _facts(model: dict[str, Any]) -> list[tuple[str, object]]:
    return [
        ("model", model["name"]),
        ("champion", model["champion"] or None),
        ("before it", model["previous"] or None),
        ("traffic", shares(model["weights"])),
        ("shadows", " ".join(map(str, model["shadows"]))),
        ("aliases", shares(model["aliases"])),
        ("memory", _memory(model)),
        ("recipe", model["recipe"]),
        ("placement", model["placement"]),
        ("holdout", model["holdout_digest"] or "none frozen yet"),
        ("revision", model["revision"]),
    ]
