"""HTTP/2 frame by frame, and one gRPC call of bytes."""

from typing import Any

import grpc

from gateway.server.edge.haproxy import LANE


def call(channel: grpc.Channel, data: bytes, method: str = LANE, **more: Any) -> bytes:
    unary: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    return unary(data, **({"timeout": 20} | more))


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def headers(stream: int, path: str) -> bytes:
    """A GET whose fields are HPACK literals without indexing, so that no table is needed."""
    fields = {":method": "GET", ":scheme": "http", ":authority": "h", ":path": path}
    block = b"".join(
        b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in fields.items()
    )
    return frame(1, 0x5, stream, block)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)
