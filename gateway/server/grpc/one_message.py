"""Calls that take one message, on grpc.aio.

They are read as streams: a unary call that ends without its message grpc.aio never answers.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import grpc.aio

Call = grpc.aio.ServicerContext[bytes, bytes]


def unary(answer: Callable[[bytes, Call], Awaitable[bytes]]) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """One message is answered by one."""

    async def read(_messages: AsyncIterator[bytes], call: Call) -> bytes:
        return await answer(await _message(call), call)

    return grpc.stream_unary_rpc_method_handler(read)


def streaming(answer: Callable[[bytes, Call], AsyncIterator[bytes]]) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """One message is answered by a stream."""

    async def read(_messages: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        async for told in answer(await _message(call), call):
            yield told

    return grpc.stream_stream_rpc_method_handler(read)


async def _message(call: Call) -> bytes:
    data = await call.read()
    if not isinstance(data, bytes):
        await call.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call holds no message")
    return data
