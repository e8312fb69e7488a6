import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config import Logging
from gateway.telemetry.logs import Refrain, log_file, log_to_file


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    root, levels = (
        logging.getLogger(),
        {name: logging.getLogger(name).level for name in ("gateway", "lifecycle")},
    )
    before = root.handlers[:]
    log_to_file(tmp_path, "worker-0", Logging())
    yield log_file(tmp_path, "worker-0")
    for handler in set(root.handlers) - set(before):
        handler.close()
    root.handlers[:] = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_has_the_fixed_keys_and_no_others(path: Path) -> None:
    log = logging.getLogger("gateway.some")
    log.info("version %d loads", 3)
    log.warning("slow", extra={"model": "m", "latency_ms": 3.5, "payload": [1.0, 2.0]})
    log.debug("not at this level")
    first, second = lines(path)
    assert (first["level"], first["process"], first["logger"]) == ("info", "worker-0", "gateway.some")
    assert first["message"] == "version 3 loads"
    assert list(first) == ["time", "level", "process", "logger", "message"]
    assert {**second, "time": 0} == {
        "time": 0,
        "level": "warning",
        "process": "worker-0",
        "logger": "gateway.some",
        "message": "slow",
        "model": "m",
        "latency_ms": 3.5,
    }


def test_an_exception_tells_its_place_but_not_its_words(path: Path) -> None:
    try:
        float("4111 1111 1111 1111")
    except ValueError:
        logging.getLogger("gateway").exception("an inference failed")
    (line,) = lines(path)
    assert line["error"] == "ValueError"
    assert "test_logs.py" in str(line["stack"])
    assert "4111" not in path.read_text()


def test_a_record_is_one_line_of_ascii_whatever_it_says(path: Path) -> None:
    nasty = 'x\n{"level": "critical"}\r\u2028\x1b[2J\x9b\u202e' + "é" * 5_000
    logging.getLogger("gateway").error("%s", nasty, extra={"request_id": nasty})
    assert path.read_bytes().count(b"\n") == 1
    assert path.read_text().rstrip("\n").isascii()
    assert path.read_text().rstrip("\n").isprintable()
    (line,) = lines(path)
    assert str(line["message"]).startswith('x\n{"level"')
    assert len(str(line["message"])) == 2_000


def test_a_process_may_say_something_in_every_line(path: Path) -> None:
    logging.getLogger().handlers[0].close()
    log_to_file(path.parent.parent, "replica-3", Logging(), {"model": "m", "version": 2})
    logging.getLogger("gateway").warning("a model fails to run")
    logging.getLogger("gateway").warning("about another", extra={"version": 1})
    first, second = lines(log_file(path.parent.parent, "replica-3"))
    assert (first["process"], first["model"], first["version"]) == ("replica-3", "m", 2)
    assert (second["model"], second["version"]) == ("m", 1)


def test_only_the_owner_reads_it(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_fails_all_the_time_is_said_now_and_then() -> None:
    now = 1_000.0
    refrain = Refrain(60.0, clock=lambda: now)
    assert not refrain.over()
    assert refrain.is_news("the database is away")
    now += 59
    assert not refrain.is_news("the database is away")
    assert refrain.is_news("the disk is full")
    now += 60
    assert refrain.is_news("the disk is full")
    assert refrain.over()
    assert refrain.is_news("the disk is full")
