"""gRPC requests whose description of tensors is known: only their raw bytes are new.

A client serialises the same description again and again, with the raw tensors behind it. Recognising it takes
1 µs, parsing and checking it 6 µs. Only what was decoded the long way is remembered, and only if it came
twice, as a description may hold a parameter of its own in each request. A message may be in its frame, which
is then a part of what is recognised.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gateway.core.sightings import Sightings
from gateway.core.types import Array, InferRequest
from gateway.protocols.answer_form import AnswerForm
from gateway.protocols.varint import varint

MOST_LAYOUTS = 8192
MOST_BYTES = 2048
MOST_ENDS = 16
"""Of messages of one length. Each is tried in turn, so no caller may add to them without end."""
_RAW_INPUT_CONTENTS = b"\x3a"  # field 7, wire type 2
# Of these any bytes of the right length are a tensor.
_PLAIN = frozenset("iuf")


class _Input(NamedTuple):
    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    marker: bytes
    size: int


class _Layout(NamedTuple):
    inputs: tuple[_Input, ...]
    request: InferRequest
    form: AnswerForm


class KnownLayouts:
    """Shared by all connections of a worker. Bounded in number and in bytes."""

    def __init__(self) -> None:
        self._sightings = Sightings(MOST_LAYOUTS)
        self._layouts: dict[bytes, _Layout] = {}  # by description, which also settles the whole length
        self._ends: dict[int, set[int]] = {}  # by whole length, where its descriptions end

    def match(self, message: bytes) -> tuple[InferRequest, AnswerForm] | None:
        """The request, as decoding the message would give it; None if its layout is not known."""
        for position in self._ends.get(len(message), ()):
            layout = self._layouts.get(message[:position])
            if layout is not None:
                break
        else:
            return None
        tensors: dict[str, Array] = {}
        for name, dtype, shape, marker, size in layout.inputs:
            if not message.startswith(marker, position):
                return None
            position += len(marker)
            # A slice is an object of its own, so the tensor is aligned as `tensors.from_raw` wants it.
            tensors[name] = np.frombuffer(message[position : position + size], dtype).reshape(shape)
            position += size
        if position != len(message):  # fields behind the tensors, which may say anything
            return None
        known = layout.request
        request = InferRequest(
            known.model,
            known.version,
            tensors,
            known.outputs,
            key=known.key,
            protocol=known.protocol,
        )
        return request, layout.form

    def learn(self, message: bytes, request: InferRequest, form: AnswerForm) -> None:
        """Remember the layout of a message that decodes to `request`, if its tensors come raw and last."""
        if (
            request.id
            or request.deadline_ns
            or any(a.dtype.kind not in _PLAIN for a in request.inputs.values())
        ):
            return
        inputs = [
            _Input(name, array.dtype, array.shape, _RAW_INPUT_CONTENTS + varint(array.nbytes), array.nbytes)
            for name, array in request.inputs.items()
        ]
        end = len(message) - sum(len(each.marker) + each.size for each in inputs)
        description = message[:end]
        if not 0 < end <= MOST_BYTES or not inputs or not self._sightings.again(description):
            return
        raws = (part for each in inputs for part in (each.marker, request.inputs[each.name].tobytes()))
        if message[end:] != b"".join(raws):
            return
        if len(self._layouts) >= MOST_LAYOUTS:
            self._layouts.clear()
            self._ends.clear()
        self._layouts[description] = _Layout(tuple(inputs), replace(request, inputs={}), form)
        ends = self._ends.setdefault(len(message), set())
        if len(ends) >= MOST_ENDS:
            ends.clear()
        ends.add(len(description))
