"""A forecast drawn in a terminal."""

from typing import Any

from rich.console import Console

from lifecycle.cli.forecast_text import draw_forecast
from lifecycle.core.rollouts.forecast import forecast
from lifecycle.core.rollouts.plan import preset
from tests.lifecycle.core.analysis.traffic import Traffic


def drawn(told: dict[str, Any]) -> str:
    screen = Console(width=160, markup=False)
    with screen.capture() as capture:
        screen.print(draw_forecast(told))
    return capture.get()


def test_every_step_says_how_long_and_what_it_would_catch() -> None:
    told = forecast(preset("quick"), Traffic(1).arm(60_000, errors=0.005), 1_000.0)
    text = drawn(told.as_json())
    assert "1000 requests/s, 0.4" in text
    assert "about 14 s" in text
    assert "min_seconds" in text
    assert "× the latency" in text
    assert "after 10 min 0 s it rolls back" in text


def test_a_step_that_would_not_end_says_so() -> None:
    text = drawn(forecast(preset("manual"), Traffic(1).arm(0), 0.0).as_json())
    assert "does not end" in text
    assert "never" in text
    assert "no traffic in the last minute" in text


def test_a_small_error_rate_is_not_told_as_none() -> None:
    told = forecast(preset("quick"), Traffic(1).arm(60_000, errors=0.005), 1_000.0).as_json()
    told["steps"][0]["error_rate"] = 0.00003
    assert "0.0030% errors" in drawn(told)
