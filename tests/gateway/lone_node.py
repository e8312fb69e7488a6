"""A node in a process of its own: what it holds of memory is nobody else's.

Argument: its home, with the models to serve in a folder `given`. It says its ports, each way's HTTP and gRPC,
and runs until its input ends.
"""

import json
import sys
from pathlib import Path

from tests.gateway.node import Node, config_of

GIVEN = "given"


def main(home: Path) -> None:
    models = {path.stem: path.read_bytes() for path in (home / GIVEN).iterdir()}
    with Node(config_of(home, limits={"max_body_mb": 1}), models) as node:
        print(json.dumps([node.direct, node.edge]), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
