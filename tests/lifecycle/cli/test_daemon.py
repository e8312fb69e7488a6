"""A node's process from the outside: started, known to be ready, ended, and nothing left behind."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lifecycle.cli import daemon
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.remains import stop, sweep

NODE = Path(__file__).with_name("node.py")


def alone(holder: str, why: str) -> None:
    pytest.fail(f"it waits for {holder}: {why}")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(daemon, "COMMAND", (sys.executable, str(NODE)))
    home = tmp_path / "home"
    yield home
    if pid := daemon.running(home):
        stop(pid)
        sweep(pid)


def test_a_node_is_started_once_and_ended_whole(home: Path) -> None:
    with daemon.start(home, [], detach=True) as process:
        state = daemon.wait_ready(process, home, detached=True, standing_by=alone)
        assert state["pid"] == process.pid == daemon.running(home)
        with pytest.raises(LifecycleError, match="already up") as raised:
            daemon.start(home, [], detach=True)
        children = psutil.Process(process.pid).children()
        stop(process.pid)
    assert raised.value.code is LifecycleCode.CONFLICT
    assert daemon.running(home) == 0
    assert sweep(process.pid) == len(children) == 1
    assert sweep(process.pid) == 0


def test_a_new_home_is_for_nobody_elses_eyes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "COMMAND", (sys.executable, "-c", ""))
    new = tmp_path / "folder" / "new"
    assert daemon.start(new, [], detach=True).wait() == 0
    assert new.stat().st_mode & 0o777 == 0o700


def test_a_home_is_found_by_its_nodes_url(home: Path) -> None:
    with daemon.start(home, [], detach=True) as process:
        state = daemon.wait_ready(process, home, detached=True, standing_by=alone)
        port = state["admin_port"]
        found = [daemon.home_at(f"http://{place}") for place in (f"localhost:{port}/", "127.0.0.1:1")]
        stop(process.pid)
    sweep(process.pid)
    assert found == [home, None]
    assert daemon.home_at(daemon.url_of(state)) is None
    assert daemon.url_of(state | {"host": "0.0.0.0", "tls": True}) == f"https://127.0.0.1:{port}"
    assert daemon.url_of(state | {"joins": "http://10.0.0.5:8002"}) == "http://10.0.0.5:8002"


def test_a_node_that_does_not_start_says_why(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        daemon.start(home, ["--workers=9"], detach=True) as process,
        pytest.raises(LifecycleError, match=r"^port 8000 is taken$"),
    ):
        daemon.wait_ready(process, home, detached=True, standing_by=alone)
    assert capsys.readouterr().out == ""  # what the log holds beside is of other days, or of no use


def test_a_node_that_breaks_shows_its_last_words(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        daemon.start(home, ["--workers=7"], detach=True) as process,
        pytest.raises(LifecycleError, match=r"ended before it was ready: it broke \(log: .*headrace\.log\)"),
    ):
        daemon.wait_ready(process, home, detached=True, standing_by=alone)
    assert "some line before" in capsys.readouterr().out


def test_a_node_in_the_background_may_stand_by(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "STANDBY_S", 0.0)
    told: list[tuple[str, str]] = []
    with daemon.start(home, ["--workers=8"], detach=True) as process:
        state = daemon.wait_ready(process, home, detached=True, standing_by=lambda *said: told.append(said))
        stop(process.pid)
    sweep(process.pid)
    assert told == [(state["awaits"], "")] == [("first-1f2e3d4c", "")]


def test_processes_of_others_are_left_alone(home: Path) -> None:
    environment = os.environ | {"HEADRACE_HOME": str(home)}  # as a shell of the home's owner has it
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=environment) as other:
        with daemon.start(home, [], detach=True) as process:
            daemon.wait_ready(process, home, detached=True, standing_by=alone)
            stop(process.pid)
        sweep(process.pid)
        assert other.poll() is None
        other.communicate(b"\n")


def test_a_number_that_somebody_else_has_by_now_is_no_session(home: Path) -> None:
    state = home / "run" / "headrace.json"
    state.parent.mkdir(parents=True)
    free, after_boot = 2**22 + 1, psutil.boot_time() + 60
    sessions = []
    for pid, started_at in ((os.getpid(), after_boot), (free, after_boot - 120), (free, after_boot)):
        state.write_text(json.dumps({"pid": pid, "started_at": started_at}))
        sessions.append(daemon.session(home))
    assert sessions == [0, 0, free]


def test_a_stale_file_names_nobody(home: Path) -> None:
    state = home / "run" / "headrace.json"
    state.parent.mkdir(parents=True)
    for text in ("not json", "{}", json.dumps({"pid": os.getpid()}), json.dumps({"pid": 2**22 + 1})):
        state.write_text(text)
        assert daemon.running(home) == 0
    daemon.forget(home)
    assert daemon.read_state(home) is None
