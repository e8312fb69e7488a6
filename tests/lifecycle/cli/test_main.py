"""The command as a whole: help, wrong words, no server."""

import subprocess
import sys

import pytest

from tests.lifecycle.cli.conftest import Run

COMMANDS = [
    *("up", "down", "status", "demo", "rollback", "feedback", "drift", "performance", "retrain", "audit"),
    *(f"model {word}" for word in ("register", "list", "show")),
    *(f"version {word}" for word in ("show", "validate", "approve", "reject", "retire", "deploy")),
    *(f"traffic {word}" for word in ("show", "set")),
    *(f"rollout {word}" for word in ("start", "show", "watch", "pause", "resume", "promote", "abort")),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(alone: Run, command: str) -> None:
    said = alone(*command.split(), "--help")
    assert said.code == 0
    assert f"headrace {command.split()[0]}" in said.out
    assert "Example:" in said.out
    assert command == "demo" or "--json" in said.out


@pytest.mark.parametrize(
    "words",
    ["nonsense", "model nonsense", "traffic set fraud", "rollout start fraud", "status --colour red"],
)
def test_wrong_words_are_one_line_and_exit_2(alone: Run, words: str) -> None:
    said = alone(*words.split())
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("headrace: ")
    assert said.err.count("\n") == 1


def test_without_words_the_help_is_shown(alone: Run) -> None:
    said = alone()
    assert "Usage: headrace" in said.out + said.err


def test_no_server_is_one_line_that_says_what_to_do(alone: Run) -> None:
    said = alone("model", "list", "--url", "http://127.0.0.1:1")
    assert said.code == 1
    assert said.err == "headrace: no headrace answers at http://127.0.0.1:1: start one with `headrace up`\n"


def test_a_url_that_is_none_is_told(alone: Run) -> None:
    said = alone("status", "--url", "nonsense")
    assert (said.code, said.err.count("\n")) == (1, 1)


def test_as_a_module_it_fails_as_the_command_does() -> None:
    command = [sys.executable, "-m", "lifecycle.cli", "model", "list", "--url", "http://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "no headrace answers" in done.stderr) == (1, True)
