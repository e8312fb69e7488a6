"""`headrace key`: who may do what."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.core.keys import KeyRole
from lifecycle.cli import daemon
from lifecycle.cli.options import URL, AsJson, Url, actor_name, connect
from lifecycle.core.moments import read_length
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import console, show, show_json, when
from lifecycle.terminal.tables import table

app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)
KeyName = Annotated[str, typer.Argument(metavar="NAME", help="The key's name: who the ledger says did it.")]


@app.command()
def create(
    name: KeyName,
    role: Annotated[KeyRole, typer.Option(help="Each role may do what the ones before it may.")],
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A model, or a prefix such as `eu-*`; may repeat. [default: all]"),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="TIME", help="After how long, e.g. 12h or 30d. [default: never]")
    ] = "",
    certificate: Annotated[
        str,
        typer.Option(
            metavar="SUBJECT", help="A client certificate that stands for it, e.g. `CN=shop,O=Acme`."
        ),
    ] = "",
    owner: Annotated[
        str,
        typer.Option(help="Whose key it is, if its name does not say so: one person's keys count as one."),
    ] = "",
    home: Annotated[
        Path | None, typer.Option(help="Write into a home that is down, e.g. for its first key.")
    ] = None,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Make a key. Its secret is shown once, now; one for a client certificate has none.

    Example: `headrace key create ann --role deployer --model fraud --expires 30d`
    """
    expires_s, asked = read_length(expires) if expires else None, True
    if home is None:
        with connect(url) as client:
            made = client.create_key(
                name, role, models=model or (), expires_s=expires_s, subject=certificate, owner=owner
            )
            asked = client.status()["info"]["identity"]
    else:
        made = _create_offline(
            home.expanduser().resolve(),
            name,
            role,
            models=model or (),
            expires_s=expires_s,
            subject=certificate,
            owner=owner,
        )
    if as_json:
        show_json(made)
        return
    if certificate:
        show(f"whoever shows a certificate of {certificate} is {name}")
        return
    show(made["secret"])
    console().print("Keep it: it is not shown again. Send it with --key, or as HEADRACE_KEY.", style="dim")
    if not asked:
        until = '`[gateway] keys` is "required" and headrace starts anew'
        console().print(f"No key is asked for or looked at here until {until}.", style="dim")


def _create_offline(home: Path, name: str, role: KeyRole, **more: Any) -> dict[str, Any]:
    if daemon.running(home):
        raise LifecycleError(LifecycleCode.CONFLICT, f"{home} is up; leave out --home to ask it for a key")
    from lifecycle.config import load  # other commands start in half the time without these
    from lifecycle.offline import open_keys

    with open_keys(load(home, {})) as keys:
        key, secret = keys.create(name, role, actor=actor_name(), **more)
    made: dict[str, Any] = key.as_json()
    del made["digest"]
    return made | {"secret": secret}


@app.command("list")
def list_keys(url: Url = URL, as_json: AsJson = False) -> None:
    """List all keys, those that are over too.

    Example: `headrace key list`
    """
    with connect(url) as client:
        keys = client.keys()
    if as_json:
        show_json(keys)
        return
    rows = [
        (
            key["name"],
            key["owner"] or key["name"],
            key["role"],
            " ".join(key["models"]) or "all",
            when(key["created_at"]),
            _state(key),
        )
        for key in keys
    ]
    console().print(
        table(["key", "whose", "role", "models", "created (UTC)", "state"], rows, empty="no keys yet")
    )


def _state(key: dict[str, Any]) -> str:
    if key["revoked_at"]:
        return f"revoked {when(key['revoked_at'])}"
    if not key["expires_at"]:
        return "valid"
    return f"{'expired' if key['expires_at'] <= time.time() else 'valid until'} {when(key['expires_at'])}"


@app.command()
def revoke(name: KeyName, url: Url = URL, as_json: AsJson = False) -> None:
    """End a key at once, everywhere.

    Example: `headrace key revoke ann`
    """
    with connect(url) as client:
        key = client.revoke_key(name)
    if as_json:
        show_json(key)
    else:
        show(f"key {name} is revoked")
