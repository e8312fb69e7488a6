"""The documentation tells what is true: its diagram is the law, its links and its settings are good."""

import re
from pathlib import Path

import pytest

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
