"""Options that commands share, and the client they open."""

import getpass
import os
import ssl
from pathlib import Path
from typing import Annotated

import httpx
import typer

from lifecycle.client import DEFAULT_URL, Client
from lifecycle.errors import LifecycleCode, LifecycleError

Url = Annotated[
    str, typer.Option("--url", envvar="HEADRACE_URL", help="The admin API.", rich_help_panel="Connection")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Home = Annotated[
    Path,
    typer.Option(
        "--home", envvar="HEADRACE_HOME", help="Where this headrace keeps its state.", file_okay=False
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The model.")]
Number = Annotated[int, typer.Argument(metavar="VERSION", help="The version's number.", min=1)]

URL = DEFAULT_URL
HOME = Path("~/.headrace")


def connect(url: str) -> Client:
    """A client that acts as `HEADRACE_ACTOR`, or as the person logged in.

    For https, `HEADRACE_CA` names the CA to trust in place of the public ones, `HEADRACE_CERT` and
    `HEADRACE_KEY` the certificate to show. All are PEM files.
    """
    return Client(url, actor=os.environ.get("HEADRACE_ACTOR") or _login(), transport=_transport(url))


def _transport(url: str) -> httpx.HTTPTransport | None:
    ca, certificate, key = (os.environ.get(f"HEADRACE_{name}") for name in ("CA", "CERT", "KEY"))
    if not url.startswith("https:") or not (ca or certificate):
        return None
    try:
        trust = ssl.create_default_context(cafile=ca)
        if certificate:
            trust.load_cert_chain(certificate, key)
    except OSError as error:  # an SSLError is one
        message = f"HEADRACE_CA, HEADRACE_CERT or HEADRACE_KEY cannot be read: {error}"
        raise LifecycleError(LifecycleCode.INVALID, message) from None
    return httpx.HTTPTransport(verify=trust)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "local"
