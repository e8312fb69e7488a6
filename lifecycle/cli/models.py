"""`headrace model`: what is registered, and registering more."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.core.placement import Placement
from lifecycle.cli.follow import follow_deployment
from lifecycle.cli.options import URL, AsJson, IfRevision, Name, Url, connect
from lifecycle.cli.plans import Plan, read_plan
from lifecycle.cli.serving import cache_of, limits_of, memory_of, placed
from lifecycle.cli.versions import AllowChange, role_of
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import Steps, console, shares, show_json, when
from lifecycle.terminal.tables import fields, table

app = typer.Typer(help="Register models, list them, look at one.", no_args_is_help=True)

Artifact = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.onnx", exists=True, dir_okay=False, readable=True, help="The version itself."
    ),
]
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
        typer.Option(exists=True, dir_okay=False, help="The file's, as `headrace model sign` wrote it."),
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
    plan: Plan = "",
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Register an ONNX file as a version of a model, and validate it.

    With `--deploy` a model's first version gets all traffic; a later one starts a rollout.

    What callers may rely on can be said too, e.g. `--output-range score=0..1`; it may repeat.

    Example: `headrace model register fraud fraud.onnx --reference train.parquet --deploy`
    """
    rollout_plan = read_plan(plan)
    steps = Steps(as_json)
    with connect(url) as client:
        with steps.step(f"Uploading {artifact.name}", f"uploaded {artifact.name}"):
            answer = client.at_revision(if_revision).register(
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
        if answer["stage"] == "rejected" and not allow_signature_change:
            again = f"`headrace version validate {name} {number}` has it judged anew"
            raise LifecycleError(LifecycleCode.CONFLICT, f"version {number} was rejected; {again}")
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
    search: Annotated[str, typer.Argument(metavar="SEARCH", help="Part of a name.")] = "",
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
    empty = "no models yet; add one with `headrace model register NAME FILE.onnx --deploy`"
    console().print(table(["model", "champion", "traffic", "versions", "revision"], rows, empty=empty))


@app.command()
def show(name: Name, url: Url = URL, as_json: AsJson = False) -> None:
    """Show one model: its traffic and its versions.

    Example: `headrace model show fraud`
    """
    with connect(url) as client:
        model, versions = client.model(name), client.versions(name)
        workers = [] if as_json else client.status()["workers"]
    if as_json:
        show_json(model | {"versions": versions})
        return
    screen = console()
    screen.print(fields([*_facts(model), *_failures(name, workers)]))
    screen.print()
    rows = [
        (
            version["number"],
            version["stage"],
            role_of(model, version["number"]),
            placed(version),
            version["submitter"],
            when(version["created_at"]),
            version["lineage"]["cause"],
        )
        for version in versions
    ]
    headings = ["version", "stage", "role", "runs", "submitter", "registered (UTC)", "cause"]
    screen.print(table(headings, rows, empty="no versions", sentences=1))


@app.command()
def holdout(
    name: Name,
    rows: Annotated[
        Path,
        typer.Argument(
            metavar="ROWS.parquet", exists=True, dir_okay=False, help="Inputs, and a column `label`."
        ),
    ],
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Freeze labelled rows on which every version of a model is judged. Only this command replaces them.

    Example: `headrace model holdout fraud holdout.parquet`
    """
    with connect(url) as client:
        model = client.at_revision(if_revision).freeze_holdout(name, rows)
    if as_json:
        show_json(model)
        return
    console().print(f"versions of {name} are judged on {rows.name} ({model['holdout_digest'][:19]}…)")


def _failures(name: str, workers: list[dict[str, Any]]) -> list[tuple[str, object]]:
    found = (failed for worker in workers for failed in worker["failed"] if failed["model"] == name)
    reasons = {(failed["version"], failed["reason"]) for failed in found}
    return [("does not load", f"version {number}: {reason}") for number, reason in sorted(reasons)]


def _facts(model: dict[str, Any]) -> list[tuple[str, object]]:
    return [
        ("model", model["name"]),
        ("champion", model["champion"] or None),
        ("before it", model["previous"] or None),
        ("traffic", shares(model["weights"])),
        ("shadows", " ".join(map(str, model["shadows"]))),
        ("aliases", shares(model["aliases"])),
        ("memory", memory_of(model)),
        ("limits", limits_of(model)),
        ("cache", cache_of(model["cache_mb"])),
        ("recipe", model["recipe"]),
        ("placement", model["placement"]),
        ("holdout", model["holdout_digest"] or "none frozen yet"),
        ("revision", model["revision"]),
    ]
