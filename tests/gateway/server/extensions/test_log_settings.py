import logging
from collections.abc import Iterator

import pytest

from gateway.errors import GatewayError
from gateway.server.extensions.log_settings import change, told
from gateway.telemetry.log_level import LogLevel


@pytest.fixture(autouse=True)
def level() -> Iterator[logging.Logger]:
    logger = logging.getLogger("gateway")
    before = logger.level
    logger.setLevel(logging.WARNING)
    yield logger
    logger.setLevel(before)


@pytest.mark.parametrize(
    ("wanted", "level_after"),
    [
        ({}, logging.WARNING),
        ({"log_info": True}, logging.INFO),
        ({"log_verbose_level": 1}, logging.DEBUG),
        ({"log_verbose_level": 0, "log_info": True}, logging.INFO),
        ({"log_warning": False}, logging.ERROR),
        ({"log_error": True}, logging.WARNING),
    ],
)
def test_settings_set_the_level(wanted: dict[str, object], level_after: int, level: logging.Logger) -> None:
    held = change(LogLevel(), wanted)
    assert level.level == level_after
    assert held == told(LogLevel())
    assert held["log_info"] is (level_after <= logging.INFO)


def test_what_was_set_can_be_taken_back(level: logging.Logger) -> None:
    before = told(LogLevel())
    change(LogLevel(), {"log_verbose_level": 1})
    assert change(LogLevel(), {"log_verbose_level": 0, "log_info": False}) == before


@pytest.mark.parametrize(
    "wanted",
    [
        {"log_error": False},
        {"log_info": True, "log_warning": False},
        {"log_info": 1},
        {"log_verbose_level": True},
        {"log_verbose_level": 7},
        {"log_file": "/etc/passwd"},
        {"log_info": None},
    ],
)
def test_what_cannot_be_done_is_refused(wanted: dict[str, object], level: logging.Logger) -> None:
    with pytest.raises(GatewayError):
        change(LogLevel(), wanted)
    assert level.level == logging.WARNING
