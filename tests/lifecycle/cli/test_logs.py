"""`headrace logs` on files as processes write them."""

import json
import logging
import time
from pathlib import Path

import pytest

from gateway.telemetry.logs import JsonLines
from lifecycle.cli.logs import Files
from tests.lifecycle.cli.conftest import Run


def write(home: Path, process: str, at: float, level: int, message: str, **extra: object) -> None:
    record = logging.LogRecord("gateway.x", level, "", 0, message, (), None)
    record.created = at
    vars(record).update(extra)
    folder = home / "logs"
    folder.mkdir(exist_ok=True)
    with (folder / f"{process}.jsonl").open("a") as file:
        file.write(JsonLines(process).format(record) + "\n")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    write(home, "worker-0", 2.0, logging.ERROR, "a request failed", model="fraud", code="INTERNAL")
    write(home, "worker-1", 1.0, logging.WARNING, "a request was slow", model="other")
    write(home, "controller", 3.0, logging.INFO, "promoted")
    write(home, "controller", 4.0, logging.DEBUG, "noise")
    return home


def test_all_processes_are_told_in_order_of_time(alone: Run, home: Path) -> None:
    said = alone("logs", "--home", home).out.splitlines()
    assert [line.split()[3] for line in said] == ["worker-1", "worker-0", "controller"]
    assert "1970-01-01 00:00:02.000 error" in said[1]
    assert "code=INTERNAL" in said[1]


def test_lines_are_chosen_by_model_level_and_number(alone: Run, home: Path) -> None:
    assert "failed" in alone("logs", "--home", home, "--model", "fraud").out
    assert len(alone("logs", "--home", home, "--level", "warning").out.splitlines()) == 2
    assert len(alone("logs", "--home", home, "--level", "debug").out.splitlines()) == 4
    assert alone("logs", "--home", home, "-n", 1).out.split()[3] == "controller"
    lines = alone("logs", "--home", home, "--json").out.splitlines()
    assert [json.loads(line)["time"][17:19] for line in lines] == ["01", "02", "03"]


def test_lines_since_a_moment_are_all_told_those_of_older_files_too(alone: Run, home: Path) -> None:
    now = time.time()
    for age in (7200, 1800):
        write(home, "worker-0", now - age, logging.ERROR, f"{age} s ago")
    (home / "logs" / "worker-0.jsonl").rename(home / "logs" / "worker-0.jsonl.1")
    for _ in range(60):
        write(home, "worker-0", now, logging.ERROR, "now")
    since = ("logs", "--home", home, "--since")
    assert alone(*since, "1h", "-n", 1).out.count("\n") == 1
    assert [alone(*since, length).out.count(" ago") for length in ("1h", "3h")] == [1, 2]
    assert alone(*since, "1h").out.count("now") == 60
    assert alone(*since, "1970-01-01T00:00:02.500Z", "--level", "debug").out.count("promoted") == 1
    assert "a request was slow" not in alone(*since, "1970-01-01T00:00:02.500Z").out
    said = alone(*since, "yesterday")
    assert (said.code, "write e.g." in said.err) == (1, True)


def test_a_home_without_logs_is_told(alone: Run, tmp_path: Path) -> None:
    said = alone("logs", "--home", tmp_path / "nowhere")
    assert (said.code, "headrace up" in said.err) == (1, True)


def test_nothing_that_was_logged_reaches_the_terminal_as_a_command(alone: Run, home: Path) -> None:
    write(home, "worker-0", 9.0, logging.ERROR, "x\x1b[2J\n1970-01-01 forged \x9b31m", request_id="\u2028\r")
    said = alone("logs", "--home", home, "-n", 1).out
    assert said.count("\n") == 1
    assert said.rstrip("\n").isprintable()


def test_files_are_read_on_and_after_their_rotation(home: Path) -> None:
    files = Files(home / "logs")
    assert len(list(files.new())) == 4
    path = home / "logs" / "worker-0.jsonl"
    with path.open("a") as file:
        file.write('{"time": "1", "half')
    assert list(files.new()) == []
    with path.open("a") as file:
        file.write('": 1}\nnot json\n')
    assert [line["half"] for line in files.new()] == [1]
    path.rename(path.with_suffix(".jsonl.1"))
    write(home, "worker-0", 5.0, logging.ERROR, "anew")
    assert [line["message"] for line in files.new()] == ["anew"]
