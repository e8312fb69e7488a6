"""What of a body are words."""

import numpy as np
import pytest

from gateway.server.express.layouts import MOST_WORDS, Words, behind_json, in_json, in_message

ROW = {"x": np.array([1, 2], np.float32)}


def test_the_words_of_json_stand_around_its_numbers() -> None:
    body = b'{"inputs":[{"name":"a","data": [1, 2]},{"data":[[3], [4]],"name":"b"}]}'
    start = b'{"inputs":[{"name":"a","data": '
    around = [b"[", b']},{"data":[[', b"], [", b']],"name":"b"}]}']
    assert in_json(body, 2) == Words(start, around, [[2], [1, 1]])


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs":[{"name":"data","data":[1]}]}',
        b'{"parameters":{"data":[1]},"inputs":[{"data":[1]}]}',
        b'{"n":"\\u0064","inputs":[{"data":[1]}]}',
        b'{"n":"' + b"n" * MOST_WORDS + b'","inputs":[{"data":[1]}]}',
    ],
)
def test_a_body_that_could_be_read_in_two_ways_has_none(body: bytes) -> None:
    assert in_json(body, 1) is None


def test_raw_tensors_stand_behind_their_json() -> None:
    body = b'{"inputs":[]}' + ROW["x"].tobytes()
    assert behind_json(body, 13, ROW) == Words(b'{"inputs":[]}', [b"", b""], [[2]])
    assert behind_json(body[:-1], 13, ROW) is None  # one is in the JSON


def test_raw_tensors_of_a_message_come_last() -> None:
    tail = b"\x3a\x08" + ROW["x"].tobytes()
    assert in_message(b"described" + tail, ROW) == Words(b"described", [b"\x3a\x08", b""], [[2]])
    assert in_message(b"described" + tail + b"more", ROW) is None
