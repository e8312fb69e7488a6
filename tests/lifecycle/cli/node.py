"""Stands in for a node's process: writes what it is, answers `/v1/status`, ends on SIGTERM.

With the option `--workers=9` it says why it cannot start, with `--workers=7` it breaks, with `--workers=8` it
waits for another's controller. It leaves a child behind; killed,
its run folder, too.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from gateway.config import GatewayConfig
from gateway.server import run_dir


class Status(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"ready": True}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        del format, args


def main() -> None:
    options = dict(word.removeprefix("--").split("=", 1) for word in sys.argv[1:])
    if options.get("workers") in ("9", "7"):
        print("some line before")
        sys.exit("headrace: port 8000 is taken" if options["workers"] == "9" else "it broke")
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    awaits = "first-1f2e3d4c" if options.get("workers") == "8" else ""
    server = HTTPServer(("127.0.0.1", 0), Status)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    folder = GatewayConfig(home=Path(options["home"])).run_dir
    run_dir.make(folder)
    run_dir.certificate_file(folder).write_text("a private key")
    state = Path(options["home"]) / "run" / "headrace.json"
    state.parent.mkdir(parents=True, exist_ok=True)
    ports = {"http_port": 8000, "grpc_port": 8001, "admin_port": server.server_port}
    gpus = {"gpus": 1.0, "cuda": False}
    state.write_text(
        json.dumps(
            {"pid": os.getpid(), "host": "127.0.0.1", "started_at": time.time(), "awaits": awaits}
            | ports
            | gpus
        )
    )
    server.serve_forever()
    run_dir.remove(folder, state.parent)


if __name__ == "__main__":
    main()
