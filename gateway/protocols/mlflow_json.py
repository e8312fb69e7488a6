"""The bodies of MLflow's scoring server, which Databricks, SageMaker and Vertex AI take as well.

`dataframe_split` and `dataframe_records` are frames, `instances` rows and `inputs` whole tensors, as in V1. A
frame's columns are the inputs of their names; a model of one input [rows, columns] takes them in their order.
The answer is `predictions`, row by row but for `inputs`. https://mlflow.org/docs/latest/deployment/
"""

from typing import Any, NamedTuple

from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import InferResponse
from gateway.core.words import listed, quoted
from gateway.protocols.fields import invalid, json_object, parameters_in
from gateway.protocols.plain_values import (
    Asked,
    Specs,
    columns,
    named,
    request_of,
    told,
    written,
)

_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
_KNOWN = frozenset((*_FORMS, "params", "parameters", "signature_name"))


class Frame(NamedTuple):
    """Rows of as many cells as there are names of columns."""

    names: list[str]
    rows: list[list[Any]]


def decode(body: bytes, signature: Signature, model: str, version: int | str | None, key: str = "") -> Asked:
    """A request from a decompressed body; types are the model's. INVALID for every fault."""
    document = json_object(body)
    if unknown := document.keys() - _KNOWN:
        raise invalid(f"{quoted(min(unknown))} is not known; send one of {', '.join(_FORMS)}, and 'params'")
    given = [form for form in _FORMS if form in document]
    if len(given) != 1:
        raise invalid(f"the body must hold one of {', '.join(_FORMS)}")
    (form,) = given
    specs = {spec.name: spec for spec in signature.inputs}
    match form:
        case "dataframe_split":
            values = by_input(_split(document[form]), specs)
        case "dataframe_records":
            values = by_input(_records(document[form]), specs)
        case "instances":
            values = columns(document[form], specs)
        case _:
            values = named(document[form], specs)
    parameters = parameters_in(document, "params" if "params" in document else "parameters")
    return Asked(request_of(values, specs, parameters, model, version, key), form != "inputs")


def encode(response: InferResponse, rows: bool) -> bytes:
    """The answer. INVALID for an output that JSON, or a list of rows, cannot carry."""
    return written({"predictions": told(response, rows)})


def _split(value: Any) -> Frame:
    names = value.get("columns") if type(value) is dict else None
    rows = value.get("data") if type(value) is dict else None
    if type(names) is not list or type(rows) is not list or not {str, int}.issuperset(map(type, names)):
        raise invalid("'dataframe_split' must be an object with lists 'columns' of names and 'data' of rows")
    if any(type(row) is not list or len(row) != len(names) for row in rows):
        raise invalid(f"every row of 'dataframe_split' must be a list of {len(names)} values, one a column")
    return Frame([str(name) for name in names], rows)


def _records(value: Any) -> Frame:
    if type(value) is not list or not value or type(value[0]) is not dict:
        raise invalid("'dataframe_records' must be a list of one object or more, a row each")
    names = value[0].keys()
    if any(type(row) is not dict or row.keys() != names for row in value):
        raise invalid("every row of 'dataframe_records' must be an object with the same names")
    return Frame(list(names), [[row[name] for name in names] for row in value])


def by_input(frame: Frame, specs: Specs) -> dict[str, Any]:
    """Values by input. INVALID, with what the model takes, for a frame that does not fit it."""
    names, rows = frame
    if not rows:
        raise invalid("the frame must have one row or more")
    if len(set(names)) == len(names) and set(names) == specs.keys():
        return {name: _column(specs[name], [row[place] for row in rows]) for place, name in enumerate(names)}
    takes = listed(specs)
    if len(specs) == 1:
        (spec,) = specs.values()
        if len(spec.shape) == 2 and spec.shape[1] in (-1, len(names)):
            return {spec.name: rows}
        takes += f" {list(spec.shape)}"
    raise invalid(
        f"the frame's {len(names)} columns, {listed(names)}, do not fit what the model takes: {takes}"
    )


def _column(spec: TensorSpec, cells: list[Any]) -> list[Any]:
    """A column of single values is also what an input [rows, 1] takes."""
    single = len(spec.shape) == 2 and spec.shape[1] in (-1, 1) and type(cells[0]) is not list
    return [[cell] for cell in cells] if single else cells
