"""The disposable process that opens an artifact: `python -m lifecycle.adapters.sandbox.inspector`.

The artifact comes on standard input, rows and the champion on descriptors named in the arguments; what was
seen leaves by standard output in frames, gate by gate, so that a crash still tells how far it got. It
confines itself before it reads a byte, and is never run inside another process.
"""

import json
import os
import sys

from lifecycle.adapters.sandbox import frames
from lifecycle.adapters.sandbox.confine import confine
from lifecycle.core.inspection import Limits

MEBIBYTE = 1 << 20


def main() -> None:
    arguments = json.loads(sys.argv[1])
    limits = Limits(**arguments["limits"])
    rows, beside = arguments["rows"], arguments["beside"]
    loaded = (0,) if beside is None else (0, beside)
    size = min(sum(os.fstat(descriptor).st_size for descriptor in loaded), 2 * limits.max_bytes)
    lacking = confine(limits.memory_mb * MEBIBYTE + 4 * size, limits.cpu_seconds, limits.wall_seconds)
    # A library that prints must not spoil the frames.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Only now, confined, are the parsers loaded.
    from lifecycle.adapters.sandbox.inspection import inspect

    frames.write(out, "ready", {"lacking": lacking})
    with os.fdopen(0, "rb") as artifact:
        inspect(artifact, limits, rows, beside, out)
    frames.write(out, "done", {})


if __name__ == "__main__":
    main()
