from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.core.profile import Profile
from lifecycle.adapters.artifacts import FileArtifacts
from lifecycle.commands.registry.intake import Intake
from lifecycle.core.inspection import REFERENCE, Answers, Inspection, Limits
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.errors import LifecycleCode, LifecycleError
from tests.lifecycle.registry import GOOD, FakeSandbox

Write = Callable[..., Path]


def intake(home: Path, says: Inspection = GOOD, limits: Limits | None = None) -> tuple[Intake, FileArtifacts]:
    sandbox = FakeSandbox()
    sandbox.says = says
    artifacts = FileArtifacts(str(home / "artifacts"), home / "cache")
    return Intake(artifacts, sandbox, limits or Limits()), artifacts


async def test_a_profile_is_taken_of_what_went_in_and_came_out(linear: Write, tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(size=(500, 3)).astype(np.float32)
    taking, artifacts = intake(
        tmp_path, replace(GOOD, sets={REFERENCE: Answers({"x": rows}, {"y": rows[:, :1]})})
    )
    package = await taking.inspect(taking.store(linear()), None)
    profile = Profile.from_bytes(artifacts.fetch(package.profile.uri, package.profile.digest).read_bytes())
    assert profile.names("inputs.x") == ("x[0]", "x[1]", "x[2]")
    assert profile.reference["inputs.x"].sum() == 1500


async def test_without_reference_rows_there_is_no_profile(linear: Write, tmp_path: Path) -> None:
    taking, _ = intake(tmp_path)
    package = await taking.inspect(taking.store(linear()), None)
    assert (package.profile.uri, package.reference.uri) == ("", "")


def test_files_over_the_limit_are_not_stored(linear: Write, tmp_path: Path) -> None:
    taking, _ = intake(tmp_path, limits=Limits(max_bytes=100))
    with pytest.raises(LifecycleError, match="the limit is 100") as caught:
        taking.store(linear())
    assert caught.value.code is LifecycleCode.REFUSED
    assert not (tmp_path / "artifacts").exists()


async def test_files_that_cannot_be_read_are_the_callers_mistake(linear: Write, tmp_path: Path) -> None:
    taking, _ = intake(tmp_path)
    with pytest.raises(LifecycleError) as caught:
        taking.store(tmp_path / "missing.onnx")
    assert caught.value.code is LifecycleCode.INVALID
    with pytest.raises(LifecycleError) as caught:
        await taking.inspect(taking.store(linear()), tmp_path / "missing.parquet")
    assert caught.value.code is LifecycleCode.INVALID


async def test_an_inspection_that_could_not_run_is_no_refusal(linear: Write, tmp_path: Path) -> None:
    broken = Inspection(None, (Finding("structure", Verdict.ERROR, "no processes left"),))
    taking, _ = intake(tmp_path, broken)
    with pytest.raises(LifecycleError) as caught:
        await taking.inspect(taking.store(linear()), None)
    assert caught.value.code is LifecycleCode.UNAVAILABLE
