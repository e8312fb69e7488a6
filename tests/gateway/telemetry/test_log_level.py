import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.telemetry.log_level import LogLevel


@pytest.fixture(autouse=True)
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("gateway")
    before = logger.level
    logger.setLevel(logging.INFO)
    yield logger
    logger.setLevel(before)


def test_workers_that_share_a_file_log_alike(tmp_path: Path, logger: logging.Logger) -> None:
    one, other = (LogLevel(tmp_path / "log-level") for _ in range(2))
    assert other.get() == logging.INFO  # as configured, until somebody is told otherwise
    one.set(logging.DEBUG)
    logger.setLevel(logging.INFO)  # the other one's process
    assert other.get() == logging.DEBUG
    logger.setLevel(logging.INFO)  # and a worker that is started later
    LogLevel(tmp_path / "log-level")
    assert logger.level == logging.DEBUG


def test_without_a_file_it_is_the_processs(logger: logging.Logger) -> None:
    LogLevel().set(logging.ERROR)
    assert LogLevel().get() == logger.level == logging.ERROR
