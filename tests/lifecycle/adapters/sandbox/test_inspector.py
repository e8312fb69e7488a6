import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from lifecycle.adapters.sandbox import frames

ROOT = Path(__file__).resolve().parents[4]


def test_the_process_tells_what_it_sees_in_frames_only(linear: Callable[..., Path]) -> None:
    arguments = json.dumps({"limits": {}, "rows": {}, "beside": None})
    with linear().open("rb") as artifact:
        ended = subprocess.run(
            [sys.executable, "-m", "lifecycle.adapters.sandbox.inspector", arguments],
            stdin=artifact,
            stdout=subprocess.PIPE,
            check=True,
            cwd=ROOT,
            env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
        )
    kinds = [frame["kind"] for frame in frames.read(ended.stdout)]
    assert (kinds[0], kinds[-1]) == ("ready", "done")
    assert kinds.count("finding") == 3
