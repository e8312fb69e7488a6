"""Options that commands share, and the client they open."""

import getpass
import os
import ssl
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated

import httpx
import typer

from lifecycle.client import DEFAULT_URL, Client
from lifecycle.errors import LifecycleCode, LifecycleError

Url = Annotated[
    str,
    typer.Option(
        "--url", metavar="URL", envvar="HEADRACE_URL", help="The admin API.", rich_help_panel="Connection"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Home = Annotated[
    Path,
    typer.Option(
        "--home", envvar="HEADRACE_HOME", help="Where this headrace keeps its state.", file_okay=False
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The model.")]
Number = Annotated[str, typer.Argument(metavar="VERSION", help="The version's number, or an alias of it.")]
IfRevision = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="Only if the model is still at this revision.")
]

URL = DEFAULT_URL
HOME = Path("~/.headrace")


KEY: ContextVar[str | None] = ContextVar("KEY", default=None)
"""The secret of this command's `--key`; None leaves it to HEADRACE_KEY."""


OVERRIDE: ContextVar[str] = ContextVar("OVERRIDE", default="")
"""Why this command goes over a freeze; empty for not at all."""


def connect(url: str) -> Client:
    """A client with this command's key; without identity it acts as `actor_name`.

    For https, `HEADRACE_TLS_CA` names the CA to trust in place of the public ones, `HEADRACE_TLS_CERT` and
    `HEADRACE_TLS_KEY` the certificate to show. All are PEM files.
    """
    return Client(url, actor=actor_name(), key=KEY.get(), override=OVERRIDE.get(), transport=_transport(url))


def actor_name() -> str:
    """`HEADRACE_ACTOR`, or the person logged in."""
    return os.environ.get("HEADRACE_ACTOR") or _login()


def tls_files() -> tuple[str | None, str | None, str | None]:
    """The CA to trust, and the certificate to show with its key, as the environment names them."""
    ca, certificate, key = (os.environ.get(f"HEADRACE_TLS_{name}") for name in ("CA", "CERT", "KEY"))
    return ca, certificate, key


def _transport(url: str) -> httpx.HTTPTransport | None:
    ca, certificate, key = tls_files()
    if not url.startswith("https:") or not (ca or certificate):
        return None
    try:
        trust = ssl.create_default_context(cafile=ca)
        if certificate:
            trust.load_cert_chain(certificate, key)
    except OSError as error:  # an SSLError is one
        message = f"HEADRACE_TLS_CA, HEADRACE_TLS_CERT or HEADRACE_TLS_KEY cannot be read: {error}"
        raise LifecycleError(LifecycleCode.INVALID, message) from None
    return httpx.HTTPTransport(verify=trust)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container's user without a name
        return "local"
