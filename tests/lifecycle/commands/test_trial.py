from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.core.signature import Signature, TensorSpec
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.commands.trial import Trial
from lifecycle.core.validation import Inspection, Limits
from lifecycle.core.version import Version
from tests.lifecycle.registry import GOOD
from tests.lifecycle.world import version

Write = Callable[..., Path]
SIGNATURE = GOOD.signature or Signature((), ())
LABELLED = replace(
    GOOD,
    inputs={"x": np.zeros((4, 3), np.float32)},
    outputs={"y": np.array([1, 1, 0, 0])},
    labels=np.array([1, 1, 1, 1]),
)


class Recorder:
    """Answers by file content, and remembers which rows each file was given."""

    def __init__(self, answers: dict[bytes, Inspection]) -> None:
        self.answers = answers
        self.asked: list[tuple[bytes, bytes | None]] = []

    async def inspect(self, artifact: Path, limits: Limits, reference: Path | None = None) -> Inspection:
        rows = _content(reference) if reference is not None else None
        self.asked.append((_content(artifact), rows))
        return self.answers[_content(artifact)]


def _content(path: Path) -> bytes:
    return path.read_bytes()


class Shelf:
    """Versions whose artifacts and reference rows are a few bytes each."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.artifacts = FileArtifacts(str(home / "artifacts"), home / "cache")

    def version(self, number: int, rows: bytes | None = None) -> Version:
        artifact, digest = self._put(b"model %d" % number)
        reference, reference_digest = self._put(rows) if rows is not None else ("", "")
        return replace(
            version(number),
            signature=SIGNATURE,
            artifact=artifact,
            digest=digest,
            reference=reference,
            reference_digest=reference_digest,
        )

    def _put(self, data: bytes) -> tuple[str, str]:
        path = self.home / "file"
        path.write_bytes(data)
        return self.artifacts.put(path)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


async def test_both_versions_answer_the_candidates_rows(shelf: Shelf) -> None:
    sandbox = Recorder(
        {b"model 1": replace(LABELLED, outputs={"y": np.array([1, 1, 1, 0])}), b"model 2": LABELLED}
    )
    findings = await Trial(shelf.artifacts, sandbox, Limits()).judge(
        shelf.version(2, b"new rows"), shelf.version(1, b"old rows")
    )
    assert sandbox.asked == [(b"model 2", b"new rows"), (b"model 1", b"new rows")]
    assert (findings[-1].numbers["candidate"], findings[-1].numbers["champion"]) == (0.5, 0.75)


async def test_the_champions_rows_stand_in_where_the_candidate_has_none(shelf: Shelf) -> None:
    sandbox = Recorder({b"model 1": LABELLED, b"model 2": LABELLED})
    await Trial(shelf.artifacts, sandbox, Limits()).judge(shelf.version(2), shelf.version(1, b"old rows"))
    assert sandbox.asked == [(b"model 2", b"old rows"), (b"model 1", b"old rows")]


async def test_rows_that_cannot_fit_the_candidate_are_not_tried(shelf: Shelf) -> None:
    other = Signature((TensorSpec("z", "FP32", (-1,)),), SIGNATURE.outputs)
    sandbox = Recorder({b"model 2": replace(GOOD, signature=other)})
    findings = await Trial(shelf.artifacts, sandbox, Limits()).judge(
        replace(shelf.version(2), signature=other), shelf.version(1, b"old rows")
    )
    assert sandbox.asked == [(b"model 2", None)]
    assert "FAIL" in {str(finding.verdict) for finding in findings if finding.name == "signature"}


async def test_a_first_version_is_run_alone(shelf: Shelf) -> None:
    sandbox = Recorder({b"model 1": LABELLED})
    await Trial(shelf.artifacts, sandbox, Limits()).judge(shelf.version(1, b"rows"), None)
    assert sandbox.asked == [(b"model 1", b"rows")]
