"""How a caller wants the answer written: which outputs binary, which as classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gateway.core.types import Array, InferResponse
from gateway.protocols.classification import classify


class OutputForm(NamedTuple):
    """One output: as raw bytes or as JSON, and as its `classes` best classes if that is not 0."""

    binary: bool
    classes: int = 0


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """`outputs` holds the outputs that were named; `default` is for all others."""

    default: OutputForm
    outputs: Mapping[str, OutputForm]

    def of(self, output: str) -> OutputForm:
        return self.outputs.get(output, self.default)


JSON = AnswerForm(OutputForm(False), {})
BINARY = AnswerForm(OutputForm(True), {})


def arrays(response: InferResponse, form: AnswerForm) -> dict[str, Array]:
    """The outputs, those to be classified as their classes."""
    if not form.outputs:
        return response.outputs
    return {
        name: classify(name, array, form.of(name).classes) if form.of(name).classes else array
        for name, array in response.outputs.items()
    }
