"""The command line against a real admin API on a free port."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lifecycle.cli.main import main
from tests.lifecycle.desk import onnx_bytes
from tests.lifecycle.live import Live, serving


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with serving(tmp_path / "home") as found:
        yield found


@pytest.fixture(autouse=True)
def _as_ada(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADRACE_ACTOR", "ada")
    monkeypatch.delenv("HEADRACE_HOME", raising=False)
    (tmp_path / "home").mkdir()
    for number in (1, 2, 3):
        (tmp_path / f"v{number}.onnx").write_bytes(onnx_bytes(str(number)))
    (tmp_path / "broken.onnx").write_bytes(onnx_bytes("broken"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def alone(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with no server."""

    def run(*words: object) -> Said:
        capsys.readouterr()
        code = main([str(word) for word in words])
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def run(live: Live, alone: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command against the server."""
    monkeypatch.setenv("HEADRACE_URL", live.url)
    return alone


@pytest.fixture
def deployed(run: Run) -> Run:
    """`fraud` with version 1 serving and version 2 approved."""
    assert run("model", "register", "fraud", "v1.onnx", "--deploy").code == 0
    assert run("model", "register", "fraud", "v2.onnx").code == 0
    assert run("version", "validate", "fraud", 2).code == 0
    assert run("version", "approve", "fraud", 2).code == 0
    return run
