"""gzip and deflate (zlib) of bodies. Never inflates beyond the cap it is given."""

import zlib

from gateway.errors import ErrorCode, GatewayError
from gateway.protocols.fields import invalid

_WBITS = {"gzip": 31, "deflate": 15}
_LEVEL = 1


def decompress(body: bytes, encoding: str, cap: int) -> bytes:
    """Raises UNSUPPORTED for another encoding, INVALID for a broken stream, TOO_LARGE over `cap` bytes."""
    wbits = _WBITS.get(encoding)
    if wbits is None:
        raise GatewayError(ErrorCode.UNSUPPORTED, "the body's encoding must be gzip or deflate")
    inflater = zlib.decompressobj(wbits)
    try:
        plain = inflater.decompress(body, cap + 1)
    except zlib.error:
        raise invalid(f"the body is not valid {encoding}") from None
    if len(plain) > cap:
        raise GatewayError(ErrorCode.TOO_LARGE, f"the body inflates to more than {cap} bytes")
    if not inflater.eof or inflater.unused_data:
        raise invalid(f"the body is not one whole {encoding} stream")
    return plain


def compress(body: bytes, encoding: str) -> bytes:
    """In an encoding that `preferred` gave."""
    deflater = zlib.compressobj(_LEVEL, wbits=_WBITS[encoding])
    return deflater.compress(body) + deflater.flush()


def preferred(accept: str) -> str:
    """The encoding of the answer that an Accept-Encoding header asks for; empty for none."""
    for item in accept.lower().split(","):
        name, _, weight = item.partition(";")
        if name.strip() in _WBITS and weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return name.strip()
    return ""
