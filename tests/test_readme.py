"""The README tells what is true: its diagram of stages is the table of transitions."""

import re
from pathlib import Path

from lifecycle.core.stages import TRANSITIONS

README = Path(__file__).parents[1] / "README.md"


def test_the_diagram_of_stages_is_the_law() -> None:
    diagram = README.read_text().split("stateDiagram-v2")[1].split("```")[0]
    drawn = set(re.findall(r"^ +(\w+) --> (\w+): (.+)$", diagram, re.MULTILINE))
    assert drawn == {(str(before), str(after), str(event)) for (before, event), after in TRANSITIONS.items()}
