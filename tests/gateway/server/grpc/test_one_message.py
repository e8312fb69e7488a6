"""What takes one message answers calls with one, and those without."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from gateway.server.grpc.one_message import Call, streaming, unary


@pytest.fixture
async def channel() -> AsyncIterator[Any]:
    async def louder(data: bytes, call: Call) -> bytes:
        return data.upper()

    async def letters(data: bytes, call: Call) -> AsyncIterator[bytes]:
        for letter in data.decode():
            yield letter.encode()

    server = grpc.aio.server()
    handlers = {"Louder": unary(louder), "Letters": streaming(letters)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("words", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as found:
        yield found
    await server.stop(None)


async def test_a_message_is_answered(channel: Any) -> None:
    assert await channel.unary_unary("/words/Louder")(b"ab", timeout=20) == b"AB"
    assert [told async for told in channel.unary_stream("/words/Letters")(b"ab", timeout=20)] == [b"a", b"b"]
    assert await channel.unary_unary("/words/Louder")(b"", timeout=20) == b"", "empty is a message"


@pytest.mark.parametrize("method", ["Louder", "Letters"])
async def test_a_call_without_a_message_is_refused(method: str, channel: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        [told async for told in channel.stream_stream(f"/words/{method}")(iter(()), timeout=20)]
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == "the call holds no message"
