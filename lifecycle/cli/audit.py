"""`headrace audit`: who or what decided what, and proof that nobody rewrote it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from lifecycle.cli.audit_text import draw_moment, draw_origin, draw_records
from lifecycle.cli.ledger_file import check, every_record
from lifecycle.cli.options import URL, AsJson, Url, connect
from lifecycle.client import Client
from lifecycle.core.governance.ledger import Record
from lifecycle.core.moments import read_since
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import console, show_json, when

MOST = 1000
"""Records that the admin API gives at once."""

WHOLE = ("verify", "export", "key")
"""Words in place of a model's name that mean the ledger itself."""


def add_to(parent: typer.Typer) -> None:
    parent.command(rich_help_panel="Care")(audit)


def audit(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME|verify|export|key",
            help="A model; `verify` checks the ledger and the registry by it, `export` prints all of it, "
            "a record a line, `key` the public key of its checkpoints.",
        ),
    ] = None,
    at: Annotated[str, typer.Option(metavar="TIME", help="What served then: ISO 8601 or Unix seconds.")] = "",
    prediction: Annotated[str, typer.Option(metavar="ID", help="What gave this answer.")] = "",
    since: Annotated[
        str, typer.Option(metavar="TIME", help="What was decided since then, e.g. 1h or ISO 8601.")
    ] = "",
    kind: Annotated[
        str,
        typer.Option(metavar="KIND", help="Only records of this kind and its parts, e.g. rollout."),
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="How many records, the newest ones.")] = 50,
    home: Annotated[
        Path | None, typer.Option(metavar="HOME", help="Verify this home's ledger with no cluster running.")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="Verify what `export` printed."),
    ] = None,
    key: Annotated[
        str, typer.Option(metavar="HEX", help="With --home: the public key as you wrote it down.")
    ] = "",
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Show the ledger: every decision, with who or what made it; with `--json`, all of each record.

    `headrace audit verify` checks the whole hash chain, the signed checkpoints that are kept beside it, and
    that versions and keys are what it says; with `--file`, the chain of an exported ledger, anywhere.

    Example: `headrace audit fraud --since 1h --kind rollout`
    """
    if (home or file) and name != "verify":
        raise LifecycleError(LifecycleCode.INVALID, "--home and --file go with `headrace audit verify`")
    if key and not home:
        raise LifecycleError(LifecycleCode.INVALID, "--key goes with `headrace audit verify --home HOME`")
    asked = [option for option in (at, prediction, since) if option]
    if asked and (name in WHOLE or len(asked) > 1):
        message = "--at, --prediction and --since go with a model's name or none, and one at a time"
        raise LifecycleError(LifecycleCode.INVALID, message)
    if file is not None:
        _show_end(check(file), as_json)
        return
    if home is not None:
        _show_proof(prove(home, key), as_json)
        return
    with connect(url) as client:
        if name == "verify":
            _show_proof(client.verify(), as_json)
        elif name == "export":
            _export(every_record(client), as_json)
        elif name == "key":
            found = client.audit_key()
            print(json.dumps(found) if as_json else found)
        elif prediction:
            _show_origin(client, name, prediction, as_json)
        elif at:
            _show_moment(client, name, at, as_json)
        else:
            records = _records(client, name, kind, limit, read_since(since, time.time()) if since else 0.0)
            if as_json:
                show_json(records)
            else:
                console().print(draw_records(records))


def prove(home: Path, key: str) -> dict[str, Any]:
    """Verify a home's ledger in a process of its own, which alone knows how a home is kept."""
    command = [sys.executable, "-m", "lifecycle.proof", "--home", str(home.expanduser())]
    done = subprocess.run([*command, "--key", key], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["the ledger cannot be read"]
        raise LifecycleError(LifecycleCode.REFUSED, said[-1].removeprefix("headrace: "))
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _export(records: Iterator[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        show_json(list(records))
        return
    for record in records:
        print(json.dumps(record))


def _show_end(last: Record, as_json: bool) -> None:
    if as_json:
        show_json({"records": last.seq, "hash": last.hash})
        return
    console().print(f"the file is whole: {last.seq} records, each sealing the one before it")
    console().print(f"its last record, of {when(last.at)} UTC, has the hash {last.hash}")


def _show_proof(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(answer)
    elif answer["ok"]:
        console().print(f"the ledger is whole: {answer['records']} records, each sealing the one before it")
        console().print(f"{answer['checkpoints']} signed checkpoints vouch for it up to {answer['sealed']}")
        told = f"{answer['rows']} models, versions, rollouts and keys are as it says"
        partly = f"; of {answer['partial']}, records of an older release say a part only"
        console().print(told + (partly if answer["partial"] else ""))
    else:
        for each in answer["differences"]:
            console().print(each["reason"])
    if not answer["ok"]:
        raise LifecycleError(LifecycleCode.REFUSED, answer["reason"])


def _records(client: Client, name: str | None, kind: str, limit: int, since: float) -> list[dict[str, Any]]:
    records = client.audit(name, limit=limit, kind=kind or None)
    if name and not records:
        client.model(name)  # tells a name that is misspelt
    return [each for each in records if each["at"] >= since]


def _show_moment(client: Client, name: str | None, at: str, as_json: bool) -> None:
    splits = client.audit_at(at, name)
    if as_json:
        show_json(splits)
        return
    if not splits:
        console().print("no model had traffic at that time")
    for split in splits:
        console().print(draw_moment(split))


def _show_origin(client: Client, name: str | None, prediction: str, as_json: bool) -> None:
    answer = client.audit_prediction(prediction)
    if name not in (None, answer["model"]):
        message = f"prediction {prediction!r} was given by {answer['model']!r}, not by {name!r}"
        raise LifecycleError(LifecycleCode.NOT_FOUND, message)
    if as_json:
        show_json(answer)
    else:
        console().print(draw_origin(answer))
