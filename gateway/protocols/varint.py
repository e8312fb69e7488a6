"""The variable-length whole number of protobuf: seven bits a byte, the lowest first."""


def varint(value: int) -> bytes:
    """The bytes of a number that is 0 or more."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
