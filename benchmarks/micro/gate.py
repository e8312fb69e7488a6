"""What a key costs a request, in µs: `python -m benchmarks.micro.gate`. The best of several rounds."""

import timeit
from collections.abc import Callable

from gateway.core.keys import Key, Keyring, KeyRole, digest
from gateway.server.gate import Gate

_ROUNDS, _CALLS = 7, 20_000
_SECRET = "h" * 43


def cases() -> dict[str, Callable[[], object]]:
    """What is timed, by name: both with a thousand keys at hand."""
    others = [Key(str(number), digest(str(number)), KeyRole.ADMIN) for number in range(1000)]
    wide = Key("wide", digest(_SECRET), KeyRole.INFERENCE)
    scoped = Key("scoped", digest(_SECRET), KeyRole.INFERENCE, ("a", "b-*", "fraud"))
    headers = {b"authorization": b"Bearer " + _SECRET.encode()}
    return {key.name: _check(Keyring((*others, key)), headers) for key in (wide, scoped)}


def _check(ring: Keyring, headers: dict[bytes, bytes]) -> Callable[[], object]:
    gate = Gate()
    gate.take(1, ring)
    return lambda: gate.infers(gate.caller(headers), "fraud")


def main() -> None:
    """Print one line per case."""
    for name, call in cases().items():
        best = min(timeit.repeat(call, number=_CALLS, repeat=_ROUNDS))
        print(f"{name:8} {best / _CALLS * 1e6:6.2f} µs")


if __name__ == "__main__":
    main()
