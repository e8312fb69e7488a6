"""What the ledger says, of decisions, a moment or an answer, as text from the API's JSON. Only draws."""

import json
from collections.abc import Iterable
from typing import Any

from rich.console import RenderableType

from lifecycle.terminal.screen import shares, when
from lifecycle.terminal.tables import fields, table

MOST_SHOWN = 60
"""Characters of one output or list; `--json` has all of it."""
_ELSEWHERE = {"reason", "rollout", "revision", "digest", "lineage", "action", "previous"}
_ELSEWHERE |= {"standing", "stages", "settings"}  # for the comparison with the registry
_MOMENTS = {"since", "until", "expires_at"}
_SPLIT = {"champion", "weights", "shadows", "held"}


def draw_records(records: list[dict[str, Any]]) -> RenderableType:
    """A row for each, with what it says in a sentence."""
    rows = [
        (
            record["seq"],
            when(record["at"]),
            record["actor"],
            record["model"],
            record["kind"],
            told(record["kind"], record["detail"]),
        )
        for record in records
    ]
    headings = ["record", "time (UTC)", "actor", "model", "kind", "detail"]
    return table(headings, rows, empty="no records", sentences=1)


def told(kind: str, detail: dict[str, Any]) -> str:
    """A record's detail in a line: its reason, then its plain facts."""
    unsaid = _ELSEWHERE
    if kind.endswith(".set") and kind != "traffic.set":  # the split is not what was set
        unsaid = unsaid | _SPLIT
    elif detail.get("weights"):
        unsaid = unsaid | {"held"}
    facts = [
        f"{name.replace('_', ' ')} {text}"
        for name, value in detail.items()
        if name not in unsaid
        and (text := when(value) if name in _MOMENTS else _fact(value))
        and (name, text) != ("champion", "0")
    ]
    return " · ".join(part for part in (detail.get("reason"), ", ".join(facts)) if part)


def draw_moment(split: dict[str, Any]) -> RenderableType:
    """Who served a model at some time, and who had set it so."""
    return fields([("model", split["model"]), ("at (UTC)", when(split["at"])), *_split(split)])


def draw_origin(answer: dict[str, Any]) -> RenderableType:
    """What gave an answer: the version, how it came to serve, and the split at that time."""
    facts = [
        ("prediction", answer["prediction"]),
        ("given by", f"{answer['model']} version {answer['version']} as {answer['role']}"),
        ("at (UTC)", when(answer["at"])),
        *((f"shadow {shadow['version']}", _beside(shadow)) for shadow in answer["shadows"]),
        *_background(answer),
    ]
    return fields([*facts, *_split(answer["split"])])


def _beside(shadow: dict[str, Any]) -> str:
    outputs = ", ".join(f"{name} {_brief(json.dumps(value))}" for name, value in shadow["outputs"].items())
    return f"answered {'otherwise' if shadow['differs'] else 'the same'}: {outputs}"


def _background(answer: dict[str, Any]) -> list[tuple[str, object]]:
    version, rollout = answer["made_by"], answer["rollout"]
    lineage = version["lineage"]
    gates = ", ".join(f"{gate['name']} {gate['verdict']}" for gate in version["evidence"])
    return [
        *(
            (record["kind"].removeprefix("version."), f"{when(record['at'])} UTC by {record['actor']}")
            for record in answer["decisions"]
        ),
        ("gates", gates),
        ("cause", lineage["cause"]),
        ("recipe", lineage["recipe"]),
        ("trained on", lineage["data_digest"]),
        ("parent", lineage["parent"]),
        ("artifact", version["digest"]),
        ("rollout", rollout and f"{rollout['id']}, plan {rollout['plan']}, by {rollout['started_by']}"),
    ]


def _split(answer: dict[str, Any]) -> list[tuple[str, object]]:
    record = answer["record"]
    return [
        ("champion", answer["champion"] or None),
        ("traffic", shares(answer["weights"])),
        ("shadows", " ".join(map(str, answer["shadows"]))),
        ("since (UTC)", when(record["at"])),
        ("set by", f"{record['actor']}, record {record['seq']}: {record['kind']}"),
    ]


def _fact(value: object) -> str:
    """A plain value, or a few, as text; nothing for what takes more than a line."""
    if isinstance(value, dict) and "name" in value:  # a plan, whose steps would fill the screen
        return str(value["name"])
    if isinstance(value, dict):
        return _brief(_words(f"{name}={_fact(each)}" for name, each in value.items() if _plain(each)))
    if isinstance(value, list):
        return _brief(_words(_fact(each) for each in value if _plain(each)))
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text[:19]}…" if text.startswith("sha256:") else text


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float)


def _words(texts: Iterable[str]) -> str:
    return " ".join(texts)


def _brief(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
