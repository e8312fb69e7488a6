"""KServe's V1 protocol, which is the REST interface of TensorFlow Serving too: plain JSON values, no types.

`instances` is a list of rows: values, or objects by input name where there are several. `inputs` holds whole
tensors instead. The answer comes in the same form, as `predictions` or `outputs`. NaN and infinity are null.
"""

from gateway.core.signature import Signature
from gateway.core.types import InferResponse
from gateway.core.words import quoted
from gateway.protocols.fields import invalid, json_object, parameters_in
from gateway.protocols.plain_values import Asked, columns, named, request_of, told, written

_KNOWN = frozenset(("instances", "inputs", "parameters", "signature_name"))


def decode(body: bytes, signature: Signature, model: str, version: int | str | None, key: str = "") -> Asked:
    """A request from a decompressed body; names and types are the model's. INVALID for every fault."""
    document = json_object(body)
    if unknown := document.keys() - _KNOWN:
        raise invalid(f"{quoted(min(unknown))} is not known; send 'instances', or 'inputs', and 'parameters'")
    rows = "instances" in document
    if rows is ("inputs" in document):
        raise invalid("the body must hold either 'instances' or 'inputs'")
    specs = {spec.name: spec for spec in signature.inputs}
    values = columns(document["instances"], specs) if rows else named(document["inputs"], specs)
    return Asked(request_of(values, specs, parameters_in(document), model, version, key), rows)


def encode(response: InferResponse, rows: bool) -> bytes:
    """The answer. INVALID for an output that JSON, or a list of rows, cannot carry."""
    return written({"predictions" if rows else "outputs": told(response, rows)})
