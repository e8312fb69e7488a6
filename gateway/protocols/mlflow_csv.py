"""A frame as CSV, as MLflow's scoring server takes it: names in the first line. The answer is JSON."""

import csv
import math
import re
from io import StringIO

from gateway.core.signature import Signature
from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.fields import invalid
from gateway.protocols.mlflow_json import Frame, by_input, encode
from gateway.protocols.plain_values import Asked, Specs, request_of

__all__ = ["decode", "encode"]

# Python's own numbers may also hold underscores, and digits of any script.
_NUMBER = re.compile(r"\s*[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?\s*", re.ASCII)
MOST_BYTES = 4 * 2**20
"""Of a body. Every cell becomes a text first, which takes far more time and memory than JSON does."""
_WORDS = {"true": True, "false": False}


def decode(body: bytes, signature: Signature, model: str, version: int | str | None, key: str = "") -> Asked:
    """A request from a decompressed body; types are the model's. INVALID for every fault, or TOO_LARGE."""
    if len(body) > MOST_BYTES:
        raise GatewayError(
            ErrorCode.TOO_LARGE,
            f"CSV may have {MOST_BYTES >> 20} MiB; send 'dataframe_split' in JSON",
        )
    try:
        lines = csv.reader(StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        names, *rows = [line for line in lines if line] or [[]]
    except (UnicodeDecodeError, csv.Error):
        raise invalid("the body is not CSV in UTF-8") from None
    if any(len(row) != len(names) for row in rows):
        raise invalid(f"every line must have {len(names)} values, as the first has names")
    specs = {spec.name: spec for spec in signature.inputs}
    kinds = [_kind(name, specs) for name in names]
    typed = [[_typed(kind, cell) for kind, cell in zip(kinds, row, strict=True)] for row in rows]
    values = by_input(Frame(names, typed), specs)
    return Asked(request_of(values, specs, {}, model, version, key), True)


def _kind(name: str, specs: Specs) -> str:
    """The type of the input that a column is or goes into; any, where the frame will not fit anyway."""
    spec = specs.get(name) or next(iter(specs.values()), None)
    return spec.datatype if spec else "BYTES"


def _typed(kind: str, cell: str) -> object:
    """The value, None for none; what is not of its type stays text, which no other type takes."""
    if not cell and kind != "BYTES":
        return None
    if kind == "BOOL":
        return _WORDS.get(cell.lower(), cell)
    if kind == "BYTES" or _NUMBER.fullmatch(cell) is None:
        return cell
    try:
        if kind.startswith("FP"):
            return number if math.isfinite(number := float(cell)) else cell
        return int(cell)
    except ValueError:
        return cell
