"""The disposable process that opens an artifact: `python -m lifecycle.adapters.inspector`.

The artifact comes on standard input, reference rows on the descriptor named in the arguments; what was
seen leaves by standard output in frames, gate by gate, so that a crash still tells how far it got. It
confines itself before it reads a byte, and is never run inside another process.
"""

import json
import os
import sys

from lifecycle.adapters import frames
from lifecycle.adapters.confine import confine
from lifecycle.core.validation import Limits

MEBIBYTE = 1 << 20


def main() -> None:
    arguments = json.loads(sys.argv[1])
    limits = Limits(**arguments["limits"])
    size = min(os.fstat(0).st_size, limits.max_bytes)
    lacking = confine(limits.memory_mb * MEBIBYTE + 4 * size, limits.cpu_seconds, limits.wall_seconds)
    # A library that prints must not spoil the frames.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Only now, confined, are the parsers loaded.
    from lifecycle.adapters.inspection import inspect

    frames.write(out, "ready", {"lacking": lacking})
    with os.fdopen(0, "rb") as artifact:
        inspect(artifact, limits, arguments["reference"], out)
    frames.write(out, "done", {})


if __name__ == "__main__":
    main()
