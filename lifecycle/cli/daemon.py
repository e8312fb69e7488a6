"""The process behind `headrace up`: starting it, and knowing when it is ready, and which one runs."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, cast

import httpx
import psutil

from gateway.server import run_dir
from lifecycle.client import Client
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.remains import RAY_LOGS, lives
from lifecycle.terminal.screen import show

COMMAND = (sys.executable, "-m", "lifecycle")
READY_S = 300.0
POLL_S = 0.25
STOPPED = (0, -signal.SIGINT, -signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGTERM)
"""Exit codes of a process that was told to end."""
STANDBY_S = 15.0
"""After so long another's controller is alive: one that is gone loses its lease sooner."""
LOG_LINES = 12
OWN = "headrace: "
"""How a line begins with which the process says itself why it ends."""


def check_down(home: Path) -> None:
    """Raises LifecycleError CONFLICT if the home is up."""
    if pid := running(home):
        message = f"{home} is already up (pid {pid}); `headrace down` stops it"
        raise LifecycleError(LifecycleCode.CONFLICT, message)


def start(home: Path, options: Sequence[str], *, detach: bool) -> "subprocess.Popen[bytes]":
    """Start the node's process, in a session of its own. Raises as `check_down` does."""
    check_down(home)
    forget(home)
    command = [*COMMAND, f"--home={home}", *options]
    environment = os.environ | {"HEADRACE_HOME": str(home)}
    if not detach:
        # Its own session, so that a Ctrl-C reaches it once, through us, and Ray's processes not at all.
        return subprocess.Popen(command, env=environment, start_new_session=True)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _log(home).parent.mkdir(exist_ok=True)
    with _log(home).open("ab") as log:
        return subprocess.Popen(
            command,
            env=environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def wait_ready(
    process: "subprocess.Popen[bytes]", home: Path, *, detached: bool, standing_by: Callable[[str, str], None]
) -> dict[str, Any]:
    """What the process says of itself, once it is ready to serve.

    A second node waits until the first one ends: `standing_by` is told whose controller that is, and by a
    node that joins a cluster why it cannot yet. In the background such a node is returned as it is, with
    `awaits`; in the foreground it may take any time.

    Raises:
        LifecycleError: UNAVAILABLE if it ends first, or takes too long in the background and is ended.
    """
    deadline = time.monotonic() + (READY_S if detached else math.inf)
    told, reason, since = "", "", 0.0
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LifecycleError(LifecycleCode.UNAVAILABLE, _why_ended(process, home, detached))
        state = read_state(home)
        if state and state["pid"] == process.pid:
            awaits, why = state.get("awaits", ""), state.get("why", "")
            if awaits and awaits != told:
                since = time.monotonic()
            if awaits and (awaits, why) != (told, reason):
                standing_by(awaits, why)
                told, reason = awaits, why
            if detached and awaits and time.monotonic() - since >= STANDBY_S:
                return state
            if not awaits and _ready(state):
                return state
        time.sleep(POLL_S)
    process.terminate()
    message = f"headrace was not ready after {READY_S:.0f} s and was stopped (log: {_log(home)})"
    raise LifecycleError(LifecycleCode.UNAVAILABLE, message)


def _ready(state: dict[str, Any]) -> bool:
    if "joins" in state:
        return bool(state["ready"])
    host = "127.0.0.1" if state["host"] in ("0.0.0.0", "::") else state["host"]
    # The edge's own socket needs no certificate, whatever the ports ask of a client.
    socket = state.get("admin_socket")
    transport = httpx.HTTPTransport(uds=socket) if socket else None
    url = "http://localhost" if socket else f"http://{host}:{state['admin_port']}"
    try:
        with Client(url, timeout_s=5.0, transport=transport) as client:
            return client.ready()
    except LifecycleError:
        return False


def _why_ended(process: "subprocess.Popen[bytes]", home: Path, detached: bool) -> str:
    if process.returncode in STOPPED:
        return "headrace was stopped before it was ready"
    if not detached:
        return f"headrace ended with exit code {process.returncode} before it was ready"
    lines = _log(home).read_text(errors="replace").splitlines()[-LOG_LINES:]
    if lines and lines[-1].startswith(OWN):
        return lines[-1].removeprefix(OWN)
    for line in lines:
        show(f"  {line}")
    last = lines[-1] if lines else f"exit code {process.returncode}"
    return f"headrace ended before it was ready: {last} (log: {_log(home)})"


@contextmanager
def forwarding_signals(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Pass SIGINT and SIGTERM on to the process; it ends in its own good order, and then so do we."""

    def forward(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def read_state(home: Path) -> dict[str, Any] | None:
    """What the running process wrote about itself, if any."""
    try:
        return cast(dict[str, Any], json.loads(_state(home).read_text()))
    except (OSError, ValueError):
        return None


def url_of(state: dict[str, Any]) -> str:
    """Of the admin API, as a command on the node's own machine calls it."""
    host, scheme = state["host"], "https" if state.get("tls") else "http"
    near = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return str(state.get("joins") or f"{scheme}://{near}:{state['admin_port']}")


def home_at(url: str) -> Path | None:
    """The home of the node on this machine that serves or joins the cluster at the URL."""
    wanted = url.rstrip("/").replace("//localhost", "//127.0.0.1")
    for home in homes():
        state = read_state(home)
        if state and url_of(state) == wanted:
            return home
    return None


def homes() -> Iterator[Path]:
    """Of the nodes that run on this machine, as far as this user may know."""
    own = len(COMMAND)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            if words[1:own] == list(COMMAND[1:]) and words[own:]:
                home = Path(words[own].removeprefix("--home="))
                if running(home) == process.pid:
                    yield home


def running(home: Path) -> int:
    """The pid of the home's process; 0 if none lives."""
    state = read_state(home)
    try:
        process = psutil.Process(int(state["pid"])) if state else None
        # A pid may have been given to somebody else since.
        if process and process.is_running() and str(home) in " ".join(process.cmdline()):
            return process.pid if process.status() != psutil.STATUS_ZOMBIE else 0
    except (psutil.Error, ValueError, KeyError):
        pass
    return 0


def session(home: Path) -> int:
    """The session of the home's last node; 0 if there was none, or the number is somebody else's by now."""
    if pid := running(home):
        return pid
    state = read_state(home) or {}
    if state.get("started_at", 0.0) < psutil.boot_time() or lives(int(state["pid"])):
        return 0
    return int(state["pid"])


def tidy(home: Path) -> Path | None:
    """Remove the run folder of a node that was killed: dead sockets, and the edge's private key.

    Call it once no process of the node is left. Returns the folder; None where none of ours was left.
    """
    from gateway.config import GatewayConfig  # with pydantic: other commands start sooner

    folder = GatewayConfig(home=home).run_dir
    # A node that is just starting has a folder, and no state yet.
    return folder if read_state(home) and run_dir.remove(folder, home / RAY_LOGS) else None


def forget(home: Path) -> None:
    _state(home).unlink(missing_ok=True)


def _state(home: Path) -> Path:
    return home / "run" / "headrace.json"


def _log(home: Path) -> Path:
    return home / "logs" / "headrace.log"
