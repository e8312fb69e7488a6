"""The command as a whole: help, wrong words, no server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from lifecycle.cli.main import PANELS, app
from tests.lifecycle.cli.conftest import Run


def commands(context: typer.Context) -> Iterator[str]:
    """Each command as it is typed behind `headrace`."""
    if not isinstance(context.command, TyperGroup):
        yield context.command_path
        return
    for name, command in context.command.commands.items():
        yield from commands(typer.Context(command, parent=context, info_name=name))


COMMANDS = [path.strip() for path in commands(typer.Context(get_command(app), info_name=""))]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(alone: Run, command: str) -> None:
    said = alone(*command.split(), "--help")
    assert said.code == 0
    assert f"headrace {command}" in " ".join(said.out.split())
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


def test_an_option_of_all_commands_in_the_wrong_place_is_told_the_right_one(alone: Run) -> None:
    for option in ("--override", "--key"):
        said = alone("traffic", "set", "fraud", "1=100", option, "why")
        assert (said.code, f"`headrace {option} TEXT COMMAND …`" in said.err) == (2, True)


def test_without_words_the_help_is_shown(alone: Run) -> None:
    said = alone()
    shown = said.out + said.err
    assert "Usage: headrace" in shown
    assert "Begin with" in shown
    panels = [shown.index(f" {panel} ") for panel in PANELS]
    assert panels == sorted(panels), "what one begins with comes first"


def test_no_server_is_one_line_that_says_what_to_do(alone: Run) -> None:
    said = alone("model", "list", "--url", "http://127.0.0.1:1")
    assert said.code == 1
    assert said.err == "headrace: no headrace answers at http://127.0.0.1:1: start one with `headrace up`\n"


@pytest.mark.parametrize(
    ("lacks", "worker"),
    [("uptime_s", {}), ("held_bytes", {"worker": "a", "generation": 1, "loaded": 1, "failed": []})],
)
def test_what_an_older_controller_does_not_tell_is_one_line_that_says_what_to_do(
    alone: Run, lacks: str, worker: dict[str, object]
) -> None:
    status = {"version": "0.0.1", "ready": True, "generation": 1, "workers": [worker]}
    status |= {} if lacks == "uptime_s" else {"uptime_s": 5}

    class Older(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(status if "status" in self.path else {"matters": []}).encode())

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with HTTPServer(("127.0.0.1", 0), Older) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        said = alone("status", "--url", f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert said.code == 1
    assert said.err.startswith(f"headrace: the controller does not tell {lacks!r}: its release is another")
    assert "`headrace upgrade`" in said.err


def test_a_url_that_is_none_is_told(alone: Run) -> None:
    said = alone("status", "--url", "nonsense")
    assert (said.code, said.err.count("\n")) == (1, 1)


def test_as_a_module_it_fails_as_the_command_does() -> None:
    command = [sys.executable, "-m", "lifecycle.cli", "model", "list", "--url", "http://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "no headrace answers" in done.stderr) == (1, True)


def test_a_command_does_not_wait_for_libraries_of_others() -> None:
    heavy = ("numpy", "onnx", "pydantic", "pyarrow", "ray", "sklearn", "sqlalchemy")
    code = f"import sys, lifecycle.cli; print([each for each in {heavy} if each in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
