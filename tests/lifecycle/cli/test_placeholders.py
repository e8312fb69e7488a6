"""What the help shows to be typed."""

from tests.lifecycle.cli.conftest import Run


def test_a_switch_takes_nothing_and_others_say_what(alone: Run) -> None:
    said = alone("rollout", "start", "--help").out
    assert "<bool>" not in said
    assert "PLAN" in said
    assert "N [x>=1]" in alone("up", "--help").out


def test_brackets_in_help_are_shown(alone: Run) -> None:
    assert "[[guard]]" in alone("rollout", "start", "--help").out
    assert "[default: never]" in alone("key", "create", "-h").out
