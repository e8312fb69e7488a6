"""`headrace model example`: a first request to a model, of the right names, types and shapes."""

import json
import math
import os
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from lifecycle.cli.options import KEY, URL, AsJson, Name, Url, connect, tls_files
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.terminal.screen import show_json

MOST_TYPED = 256
"""Elements that a person may want to see in a command; beyond them the program says it shorter."""


def example(
    name: Name,
    python: Annotated[bool, typer.Option("--python", help="A program, in place of curl.")] = False,
    url: Url = URL,
    as_json: AsJson = False,
) -> None:
    """Print a request that the model's champion answers: one row of made-up values, to paste and to change.

    With `--json` it is the request's body alone.

    Example: `headrace model example fraud`
    """
    with connect(url) as client:
        model, info = client.model(name), client.status()["info"]
        if not model["champion"]:
            message = f"{name} has no traffic yet; `headrace version deploy {name} VERSION` gives it some"
            raise LifecycleError(LifecycleCode.CONFLICT, message)
        inputs = client.version(name, model["champion"])["signature"]["inputs"]
    certified = info["tls"] and tls_files()[1] and not (KEY.get() or os.environ.get("HEADRACE_KEY"))
    keyed = info["identity"] and not certified  # else the certificate is who calls
    long = sum(math.prod(_row(spec)) for spec in inputs) > MOST_TYPED
    host = urlsplit(url).hostname
    if as_json:
        show_json(body(inputs))
    elif python or long:
        print(program(name, inputs, f"{host}:{info['http_port']}", info["tls"], keyed))
    else:
        base = f"{'https' if info['tls'] else 'http'}://{host}:{info['http_port']}"
        print(command(name, inputs, base, keyed))


def body(inputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The V2 JSON body with one row for each input; flat `data`."""
    return {
        "inputs": [
            {
                "name": spec["name"],
                "shape": _row(spec),
                "datatype": spec["datatype"],
                "data": [_value(spec["datatype"])] * math.prod(_row(spec)),
            }
            for spec in inputs
        ]
    }


def command(name: str, inputs: list[dict[str, Any]], base: str, identity: bool) -> str:
    """As curl sends it."""
    tensors = ",\n".join(f"    {json.dumps(tensor)}" for tensor in body(inputs)["inputs"])
    tensors = tensors.replace("'", "'\\''")  # the shell's way to say a quote between quotes
    options = ' -H "x-api-key: $HEADRACE_KEY"' if identity else ""
    if base.startswith("https:"):
        ca, certificate, _ = tls_files()
        options += ' --cacert "$HEADRACE_TLS_CA"' if ca else ""
        options += ' --cert "$HEADRACE_TLS_CERT" --key "$HEADRACE_TLS_KEY"' if certificate else ""
    return f"curl -s{options} {base}/v2/models/{name}/infer -d '\n  {{\"inputs\": [\n{tensors}]}}'"


def program(name: str, inputs: list[dict[str, Any]], place: str, tls: bool, identity: bool) -> str:
    """As tritonclient sends it."""
    trusted = _ssl_options() if tls else {}
    lines = ["import os"] if identity or trusted else []
    lines += ["import numpy as np", "import tritonclient.http as triton", ""]
    how = ", ssl=True" if tls else ""
    if trusted:
        files = ", ".join(f'"{name}": os.environ["{variable}"]' for name, variable in trusted.items())
        lines.append(f"files = {{{files}}}")
        how += ", ssl_options=files"
    lines.append(f'client = triton.InferenceServerClient("{place}"{how})')
    lines.append("inputs = []")
    for spec in inputs:
        of, shape, value = spec["datatype"], tuple(_row(spec)), _value(spec["datatype"])
        element = repr(value.encode() if isinstance(value, str) else value)
        lines.append(f"inputs.append(triton.InferInput({json.dumps(spec['name'])}, {list(shape)}, {of!r}))")
        lines.append(f"rows = np.full({shape}, {element}, triton.triton_to_np_dtype({of!r}))")
        lines.append("inputs[-1].set_data_from_numpy(rows)")
    headers = ', headers={"x-api-key": os.environ["HEADRACE_KEY"]}' if identity else ""
    lines.append(f'answer = client.infer("{name}", inputs{headers})')
    lines.append("for output in answer.get_response()['outputs']:")
    lines.append("    print(output['name'], answer.as_numpy(output['name']))")
    return "\n".join(lines)


def _ssl_options() -> dict[str, str]:
    """Of tritonclient: which variable of the environment names which file, where it does."""
    ca, certificate, _ = tls_files()
    options = {"ca_certs": "HEADRACE_TLS_CA"} if ca else {}
    return options | ({"certfile": "HEADRACE_TLS_CERT", "keyfile": "HEADRACE_TLS_KEY"} if certificate else {})


def _row(spec: dict[str, Any]) -> list[int]:
    """The input's shape with the smallest length where any is allowed."""
    return [max(length, 1) for length in spec["shape"]]


def _value(datatype: str) -> str | bool | int | float:
    if datatype == "BYTES":
        return "text"
    if datatype == "BOOL":
        return True
    return 1 if "INT" in datatype else 0.5
