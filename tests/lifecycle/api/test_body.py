"""A body is taken in whole, told apart by its bytes, and given again."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile

import pytest
from starlette.types import Message, Receive

from lifecycle.api.body import Body
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.api.conftest import short_files

MIB = 1 << 20


def parts(*bodies: bytes, whole: bool = True) -> Receive:
    """As a server gives them; then the caller is gone."""
    messages: list[Message] = [
        {"type": "http.request", "body": body, "more_body": not whole or i < len(bodies) - 1}
        for i, body in enumerate(bodies)
    ]
    waiting: Iterator[Message] = iter([*messages, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(waiting)

    return receive


async def read(body: Body, receive: Receive) -> bytes:
    assert await body.read(receive)
    again, got, more = body.again(receive), b"", True
    while more:
        message = await again()
        got, more = got + message["body"], message["more_body"]
    assert (await again())["type"] == "http.disconnect", "what comes behind the body is passed on"
    return got


@pytest.mark.parametrize("bodies", [(b"",), (b"abc",), (b"ab", b"", b"c"), (b"x" * MIB, b"y")])
async def test_it_comes_again_as_it_came(bodies: tuple[bytes, ...]) -> None:
    body = Body(io.BytesIO(), "application/json")
    assert await read(body, parts(*bodies)) == b"".join(bodies)
    assert body.digest() == hashlib.sha256(b"".join(bodies)).hexdigest()


async def test_half_a_body_is_none() -> None:
    body = Body(io.BytesIO(), "text/csv")
    assert not await body.read(parts(b"prediction_id,label\np1,1\n", whole=False))


def form(boundary: str, content: bytes) -> bytes:
    mark = boundary.encode()
    return b"--" + mark + b"\r\ncontent-disposition: form-data\r\n\r\n" + content + b"\r\n--" + mark + b"--"


async def digest(boundary: str, bodies: Iterable[bytes]) -> str:
    body = Body(io.BytesIO(), f"multipart/form-data; boundary={boundary}")
    assert await body.read(parts(*bodies))
    return body.digest()


async def test_a_form_is_the_same_whatever_parts_it_and_however_it_is_cut() -> None:
    first = await digest("0a1b2c", [form("0a1b2c", b"weights")])
    second = form("ff00ee", b"weights")
    assert {await digest("ff00ee", (second[:at], second[at:])) for at in range(len(second))} == {first}
    assert await digest("0a1b2c", [form("0a1b2c", b"other")]) != first


async def test_a_disk_that_takes_no_more_is_said_to_be_full() -> None:
    with (
        TemporaryFile(buffering=0) as file,
        short_files(MIB),
        pytest.raises(LifecycleError, match="disk takes no more") as refused,
    ):
        await Body(file, "text/csv").read(parts(*[b"x" * MIB] * 2))
    assert refused.value.code is LifecycleCode.UNAVAILABLE
