"""How an answer is written, from one that was written the usual way: its words, and what will differ."""

import re
from collections.abc import Mapping, Sequence

from gateway.core.types import Array, InferResponse
from gateway.protocols import v2_answer
from gateway.protocols.answer_form import AnswerForm
from gateway.protocols.varint import varint
from gateway.server.express.plans import ID, LENGTH, Answer

_LENGTH = re.compile(rb"(?<=\r\ncontent-length: )\d+")
_RAW_OUTPUT_CONTENTS = b"\x32"  # field 6, wire type 2
_PLACE = "\0headrace\0"
_PLACED = b'"\\u0000headrace\\u0000"'


def in_json(reply: bytes, response: InferResponse, form: AnswerForm) -> Answer:
    """Of a reply over HTTP that is all JSON."""
    document, _, _ = v2_answer.document(response, form)
    for output in document["outputs"]:
        output["data"] = _PLACE
    body = v2_answer.written(document).split(_PLACED)
    head = reply[: reply.find(b"\r\n\r\n") + 4]
    before, after = _LENGTH.split(head)
    words = [before, *_around_id(after, response)]
    words[-1] += body[0]
    outputs = list(range(len(body) - 1))
    return _answer([*words, *body[1:]], [LENGTH, ID, *outputs], True, sum(map(len, body)))


def in_raw_bytes(reply: bytes, response: InferResponse, tail: bytes = b"", marked: bool = False) -> Answer:
    """Of a reply that ends with its outputs and the `tail`, each output behind a protobuf tag if `marked`."""
    words = reply.removesuffix(tail)
    between: list[bytes] = []
    for array in reversed(response.outputs.values()):
        words = words[: len(words) - array.nbytes]
        mark = _RAW_OUTPUT_CONTENTS + varint(array.nbytes) if marked else b""
        words = words.removesuffix(mark)
        between.insert(0, mark)
    pieces = _around_id(words, response)
    pieces[-1] += between[0]
    ids = [ID] * (len(pieces) - 1)
    return _answer([*pieces, *between[1:], tail], [*ids, *range(len(between))], False, 0)


def _around_id(text: bytes, response: InferResponse) -> list[bytes]:
    return text.split(response.prediction_id.encode())


def _answer(words: Sequence[bytes], slots: list[int], text: bool, body: int) -> Answer:
    parts: list[bytes | None] = []
    for word in words:
        parts += (word, None)
    return Answer(parts[:-1], slots, text, body)


def most_growth(outputs: Mapping[str, Array]) -> int:
    """By how many bytes another answer with these outputs may be longer."""
    return sum(26 * array.size for array in outputs.values())
