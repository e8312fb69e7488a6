"""A rollout's forecast as a table, from the API's JSON. Only draws."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from lifecycle.core.moments import duration
from lifecycle.terminal.tables import fields, table


def draw_forecast(told: dict[str, Any]) -> RenderableType:
    """The traffic it rests on, a row per step, and how it would end."""
    plan = told["plan"]
    facts = fields(
        [
            ("plan", plan["name"]),
            ("champion now", f"{told['requests_per_s']:.4g} requests/s, {told['error_rate']:.2%} errors"),
            (
                "until promoted",
                f"about {duration(told['seconds'])}" if told["seconds"] is not None else "never",
            ),
            ("then", f"the old champion stays loaded for {duration(plan['bake_seconds'])}"),
            ("deadline", _deadline(plan)),
        ]
    )
    columns = ("step", "takes about", "waits for", "requests/s", "would roll back from")
    steps = table(columns, map(_row, told["steps"]), empty="")
    return Group(facts, Text(), steps, Text(), Text(told["reason"]))


def _row(step: dict[str, Any]) -> tuple[object, ...]:
    return (
        f"{step['weight']:g} %" if step["weight"] else "shadow",
        duration(step["seconds"]) if step["seconds"] is not None else "does not end",
        ", ".join(step["waits_for"]),
        f"{step['requests_per_s']:.4g}",
        " or ".join(_harm(step)),
    )


def _harm(step: dict[str, Any]) -> list[str]:
    """The smallest regressions that it would see, as likely as not."""
    errors, slower = step["error_rate"], step["slower"]
    return [
        *(
            [f"{errors:.2%} errors" if errors >= 1e-4 else f"{errors:.4%} errors"]
            if errors is not None
            else []
        ),
        *([f"{slower:.2f} × the latency"] if slower is not None else []),
    ]


def _deadline(plan: dict[str, Any]) -> str:
    if plan["deadline_seconds"] is None:
        return "none"
    then = {"roll_back": "rolls back", "hold": "holds for a person"}[plan["at_deadline"]]
    return f"after {duration(plan['deadline_seconds'])} it {then}"
