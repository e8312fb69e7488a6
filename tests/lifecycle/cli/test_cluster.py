"""`headrace up`, `down` and `status`."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.config import GatewayConfig
from lifecycle.cli import daemon
from lifecycle.core.dedicated import Stayed
from lifecycle.remains import sweep
from tests.lifecycle.cli.conftest import Run
from tests.lifecycle.live import Live

NODE = Path(__file__).with_name("node.py")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    started, start = list["subprocess.Popen[bytes]"](), daemon.start

    def kept(home: Path, options: Sequence[str], *, detach: bool) -> "subprocess.Popen[bytes]":
        started.append(start(home, options, detach=detach))
        return started[-1]

    monkeypatch.setattr(daemon, "COMMAND", (sys.executable, str(NODE)))
    monkeypatch.setattr(daemon, "start", kept)
    yield
    for process in started:  # the command that started it has not waited for it
        process.wait(30)


def test_up_in_the_background_and_down(alone: Run, tmp_path: Path) -> None:
    home = tmp_path / "node"
    up = alone("up", "--home", home, "--detach", "--json")
    twice = alone("up", "--home", home, "--detach")
    down = alone("down", "--home", home)
    again = alone("down", "--home", home)

    assert up.json["http_port"] == 8000
    assert (twice.code, twice.err.count("\n")) == (1, 1)
    assert (down.code, again.code) == (0, 0)
    assert "headrace stopped" in down.out
    assert again.out.startswith("nothing was running")


def test_logs_are_those_of_the_node_that_other_commands_call(
    alone: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "node"
    up = alone("up", "--home", home, "--detach", "--json")
    line = {"time": "2026-01-01T00:00:00+00:00", "level": "error", "message": "of this node"}
    (home / "logs" / "worker-0.jsonl").write_text(json.dumps(line) + "\n")
    monkeypatch.setenv("HEADRACE_URL", f"http://127.0.0.1:{up.json['admin_port']}")
    said, elsewhere = alone("logs"), alone("down", "--home", tmp_path / "other")
    alone("down", "--home", home)
    assert "of this node" in said.out
    assert str(home) in elsewhere.out


def test_down_tidies_up_after_a_node_that_was_killed(alone: Run, tmp_path: Path) -> None:
    home = tmp_path / "node"
    folder = GatewayConfig(home=home).run_dir
    for as_json in ((), ("--json",)):
        alone("up", "--home", home, "--detach")
        (ray_logs := folder / "ray" / "session_latest" / "logs").mkdir(parents=True)
        (ray_logs / "raylet.err").write_text("killed")
        os.kill(daemon.running(home), signal.SIGKILL)
        down = alone("down", "--home", home, *as_json)
        assert down.code == 0
        assert not folder.exists()
        assert (home / "logs" / "ray" / "raylet.err").read_text() == "killed"  # they may say why it died
        if not as_json:
            assert (
                down.out == f"✓ tidied up after a node that had died: 1 processes ended, {folder} removed\n"
            )
    assert down.json == {"stopped": False, "left_behind": 1, "removed": str(folder)}
    assert alone("down", "--home", home, "--json").json == {"stopped": False, "left_behind": 0, "removed": ""}


def test_a_second_node_says_for_whom_it_waits(
    alone: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "STANDBY_S", 0.0)
    said = alone("up", "--home", tmp_path / "node", "--detach", "--workers", 8)
    alone("down", "--home", tmp_path / "node")
    assert "controller first-1f2e3d4c holds the lease" in said.out
    assert "✓ headrace stands by" in said.out


def test_up_in_the_foreground_ends_with_its_node(tmp_path: Path) -> None:
    home = tmp_path / "node"
    script = (
        "import sys; from lifecycle.cli import daemon, main\n"
        f"daemon.COMMAND = (sys.executable, {str(NODE)!r})\n"
        f"sys.exit(main(['up', '--home', {str(home)!r}]))"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        node = daemon.running(home)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    sweep(node)
    assert "headrace is ready" in lines[0]
    assert "http://127.0.0.1:8000" in lines[1]
    assert "1, unused: install onnxruntime-gpu" in lines[4]
    assert lines[5].startswith("for other commands: export HEADRACE_URL=http://127.0.0.1:")


def test_status_shows_the_workers(deployed: Run) -> None:
    out = deployed("status").out
    assert "worker-0" in out
    assert "5 of 50 MiB" in out
    assert deployed("status", "--json").json["ready"] is True
    assert deployed("status", "--json").json["matters"] == []


def test_status_shows_rollouts_under_way(deployed: Run) -> None:
    deployed("rollout", "start", "fraud", 2)
    assert "version 2: loading, INCONCLUSIVE" in deployed("status").out


@pytest.mark.parametrize("reason", ["", "its own process waits for 1 GPU, which others hold"])
def test_an_upgrade_says_who_is_new_and_what_is_not(
    deployed: Run, live: Live, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    async def renew() -> tuple[Stayed, ...]:
        return (Stayed("fraud", 1, reason),) if reason else ()

    info = cast("dict[str, Any]", live.desk.info)

    def make_way() -> None:  # once what was asked is answered
        name = {"controller": info["controller"] + "1"}
        asyncio.get_running_loop().call_soon(info.update, name)

    monkeypatch.setattr(live.desk.upgrade, "_renew", renew)
    monkeypatch.setattr(live.desk.upgrade, "restart", make_way)
    told, in_json = deployed("upgrade"), deployed("upgrade", "--json")
    assert "controller-11" in told.out
    assert in_json.json["controller"] == {"before": "controller-11", "after": "controller-111"}
    assert told.code == in_json.code == bool(reason)
    if reason:
        assert f"old processes serve on for fraud/1: {reason}" in told.err
        assert in_json.json["stayed"] == [{"model": "fraud", "version": 1, "reason": reason}]
