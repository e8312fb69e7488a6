"""The documentation tells what is true: its diagram is the law, its links and its settings are good."""

import re
import shlex
from itertools import takewhile
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from lifecycle.cli.main import app
from lifecycle.config import load
from lifecycle.core.stages import TRANSITIONS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "benchmarks" / "README.md", *(ROOT / "docs").glob("*.md")])


def test_the_diagram_of_stages_is_the_law() -> None:
    diagram = (ROOT / "docs" / "governance.md").read_text().split("stateDiagram-v2")[1].split("```")[0]
    drawn = set(re.findall(r"^ +(\w+) --> (\w+): (.+)$", diagram, re.MULTILINE))
    assert drawn == {(str(before), str(after), str(event)) for (before, event), after in TRANSITIONS.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_pages(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index] == [
        "README.md"
    ]


def test_the_settings_of_a_node_in_production_are_taken() -> None:
    config = load(ROOT / "deploy", {})
    assert (config.gateway.identity, config.gateway.workers) == (True, 8)
    assert config.checkpoints_uri.startswith("s3://")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_their_options_exist(page: Path) -> None:
    text = page.read_text()
    blocks = re.findall(r"```(?:bash)?\n(.*?)```", text, re.DOTALL)
    lines = [line.partition("#")[0] for block in blocks for line in block.splitlines()]
    typed = [line.strip() for line in lines] + re.findall(r"`([^`\n]+)`", text)
    commands = [line.split(" | ")[0].rstrip("… ") for line in typed if line.startswith("headrace ")]
    assert [command for command in commands if not known(shlex.split(command)[1:])] == []


def known(words: list[str]) -> bool:
    """Whether what is typed behind `headrace` is a command, and its options are some of it."""
    command, options = get_command(app), [word.partition("=")[0] for word in words if word.startswith("--")]
    taken = {name for each in command.params for name in each.opts} | {"--help"}
    for word in takewhile(lambda word: not word.startswith("-"), words):
        if not isinstance(command, TyperGroup):
            break
        if word not in command.commands:
            return word.isupper()
        command = command.commands[word]
        taken |= {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    return set(options) <= taken
