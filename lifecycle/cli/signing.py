"""`headrace model sign`: signs a package where its key is, which no server ever sees."""

from pathlib import Path
from typing import Annotated

import typer

from lifecycle.cli.options import AsJson
from lifecycle.terminal.screen import console, show_json


def add_to(model: typer.Typer) -> None:
    model.command()(sign)


def sign(
    artifact: Annotated[Path, typer.Argument(metavar="FILE.onnx", exists=True, dir_okay=False)],
    key: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="Private key in PEM, e.g. of P-256.")
    ],
    certificate: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The key's, if a CA is trusted.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Where to write it. [default: FILE.onnx.sig]", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Sign an ONNX file under its name (OpenSSF Model Signing). Needs no server.

    Example: `headrace model sign fraud.onnx --key release.key`
    """
    from lifecycle import signing  # half a second, which other commands need not wait

    written = output or artifact.with_name(f"{artifact.name}.sig")
    signing.sign(artifact, written, key, certificate)
    if as_json:
        show_json({"signature": str(written)})
    else:
        console().print(f"signed {artifact.name}; register it with --signature {written}")
