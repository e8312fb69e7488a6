"""`headrace feedback`, `drift`, `performance` and `retrain`: what is seen of a model, and acting on it."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from lifecycle.cli.options import URL, AsJson, IfRevision, Name, Url, connect
from lifecycle.terminal.screen import Steps, console, show, show_json, when
from lifecycle.terminal.tables import fields, table

SHOWN = 10
"""The latest estimates, and of each version the latest spans with labels."""

WORDS = {"accuracy": "accuracy", "mae": "mean absolute error"}
"""What a model's answers are measured by."""

LABELS = typer.Argument(
    metavar="LABELS.parquet|csv", exists=True, dir_okay=False, readable=True, help="See the columns above."
)


def add_to(parent: typer.Typer) -> None:
    for command in (feedback, drift, performance):
        parent.command(rich_help_panel="How well it does")(command)
    parent.command(rich_help_panel="How well it does")(retrain)


def feedback(name: Name, labels: Annotated[Path, LABELS], url: Url = URL, as_json: AsJson = False) -> None:
    """Send what came of past predictions: columns `prediction_id`, and `label`, `feedback.NAME` or both.

    A column `at` says when that became known, in Unix seconds or as a time such as 2026-11-26T12:00:00Z.

    A column `feedback.revenue` holds the numbers of a business metric, `revenue`, that a plan can guard.

    Example: `headrace feedback fraud labels.csv`
    """
    with connect(url) as client, Steps(as_json).step(f"Sending {labels.name}", f"sent {labels.name}"):
        receipt = client.feedback(name, labels)
    if as_json:
        show_json(receipt)
        return
    meanings = {
        "joined": "labels joined with their prediction",
        "duplicate": "said before, nothing changed",
        "conflicting": "contradict an earlier label and are put aside",
        "unknown": "name no prediction kept yet; they join if it comes, but a busy model keeps a sample only",
        "early": "are from before their prediction and are put aside",
        "late": "are from beyond the horizon and are put aside",
    }
    told = [(kind, f"{receipt[kind]}  {meaning}") for kind, meaning in meanings.items() if receipt[kind]]
    if strange := receipt["unfamiliar"]:
        named = ", ".join(f"{label!r} ({count})" for label, count in strange.items())
        told.append(
            ("unfamiliar", f"{named}: no answer or reference row of the champion says so; all count as wrong")
        )
    console().print(fields(told))
    rows = [(metric, *(said[kind] for kind in meanings)) for metric, said in receipt["metrics"].items()]
    if rows:
        console().print(table(["metric", *meanings], rows, empty=""))


def drift(
    name: Name,
    all_features: Annotated[bool, typer.Option("--all", help="Quiet features too.")] = False,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Compare the newest traffic of the champion with its reference data.

    Example: `headrace drift fraud --all`
    """
    with connect(url) as client:
        report = client.drift(name)
    if as_json:
        show_json(report)
        return
    screen = console()
    screen.print(
        fields([("verdict", report["verdict"]), ("reason", report["reason"]), ("rows", report["n"])])
    )
    shown = [feature for feature in report["features"] if feature["drifted"] or all_features]
    shown.sort(key=lambda feature: -feature["effect"])
    rows = [
        (
            feature["name"],
            "drifted" if feature["drifted"] else "",
            f"{feature['effect']:.3f}",
            f"{feature['p_value']:.2g}",
        )
        for feature in shown
    ]
    screen.print()
    empty = "no feature drifted" if report["features"] else "no feature has been compared yet"
    screen.print(table(["feature", "", "effect (PSI)", "p-value"], rows, empty=empty))


def performance(name: Name, url: Url = URL, as_json: AsJson = False) -> None:
    """Show how good the answers were, by labels and business metrics, and should be without them.

    Example: `headrace performance fraud`
    """
    with connect(url) as client:
        found = client.performance(name)
    if as_json:
        show_json(found)
        return
    screen = console()
    estimated = [each["measure"] for each in found["estimates"][-1:]]
    measure, fall = found["measure"] or next(iter(estimated), "accuracy"), found["fall"]
    screen.print(
        fields(
            [
                ("champion", found["champion"] or None),
                (f"{WORDS[measure]} at validation", _value(measure, found["reference"], none=None)),
                ("fall" if measure == "accuracy" else "rise", _fall(fall) if fall else "none confirmed"),
            ]
        )
    )
    rows = [
        (
            version["version"],
            when(cohort["start"]),
            cohort["predictions"],
            _percent(cohort["coverage"]),
            _value(measure, cohort[measure]),
            f"{_value(measure, cohort['low'])} to {_value(measure, cohort['high'])}",
            *([] if measure == "accuracy" else [_value(measure, cohort["rmse"])]),
            "" if cohort["mature"] else "labels still come",
        )
        for version in found["versions"]
        for cohort in _labelled(version)
    ]
    figures = ["accuracy", "95 % interval"] if measure == "accuracy" else ["MAE", "95 % interval", "RMSE"]
    headings = ["version", "predicted (UTC)", "predictions", "labelled", *figures, ""]
    screen.print()
    screen.print(
        table(headings, rows, empty=f"no labels yet; send some with `headrace feedback {name} FILE`")
    )
    if left_out := sum(len(version["cohorts"]) for version in found["versions"]) - len(rows):
        screen.print(f"{left_out} earlier spans, or spans without labels, are in `--json`", style="dim")
    numbers = [
        (metric["name"], of["version"], of["rows"], f"{of['mean']:.4g}", _interval(of))
        for metric in found["metrics"]
        for of in metric["versions"]
    ]
    if numbers:
        screen.print()
        screen.print(table(["metric", "version", "numbers", "mean", "95 % interval"], numbers, empty=""))
    if found["estimates"]:
        screen.print()
        screen.print(_estimates(found["estimates"]))
    if found["estimate_fell_at"] is not None:
        worse = "low" if measure == "accuracy" else "high"
        screen.print(f"the estimates are clearly too {worse} since {when(found['estimate_fell_at'])} UTC")


def retrain(
    name: Name,
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger.")] = "",
    if_revision: IfRevision = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Train a new version with the model's recipe, in the background.

    Example: `headrace retrain fraud --reason "new product line"`
    """
    with connect(url) as client:
        answer = client.at_revision(if_revision).retrain(name, reason)
    if as_json:
        show_json(answer)
    else:
        show(f"training began; follow it with `headrace audit {name}`")


def _labelled(version: dict[str, Any]) -> list[dict[str, Any]]:
    return [cohort for cohort in version["cohorts"] if cohort["labelled"]][-SHOWN:]


def _fall(fall: dict[str, Any]) -> str:
    measure = fall["measure"]
    return (
        f"{_value(measure, fall[measure])} since {when(fall['since'])} UTC on {fall['rows']} labelled rows, "
        f"was {_value(measure, fall['reference'])}"
    )


def _interval(of: dict[str, Any]) -> str:
    return "–" if of["low"] is None else f"{of['low']:.4g} to {of['high']:.4g}"


def _estimates(estimates: list[dict[str, Any]]) -> RenderableType:
    measure = estimates[-1]["measure"]
    rows = [
        (
            when(each["end"]),
            each["rows"],
            _value(measure, each[measure]),
            f"{_value(measure, each['low'])} to {_value(measure, each['high'])}",
            each["method"],
            each["reason"],
        )
        for each in estimates[-SHOWN:]
    ]
    figure = f"estimated {'accuracy' if measure == 'accuracy' else 'MAE'}"
    headings = ["predicted until (UTC)", "rows", figure, "3 sampling errors", "by", ""]
    return table(headings, rows, empty="")


def _value(measure: str, value: float | None, none: str | None = "–") -> str | None:
    """Of an accuracy in percent, of an error in the label's unit."""
    if value is None:
        return none
    return _percent(value) if measure == "accuracy" else f"{value:.4g}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
