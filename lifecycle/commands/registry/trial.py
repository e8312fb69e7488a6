"""Gathers what the gates of validation need to know, and has them judged. Changes nothing."""

import asyncio
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from lifecycle.commands.learning.labelled import Reference, newest_block
from lifecycle.core.gates.compatible import compatible
from lifecycle.core.inspection import GOLDEN, HOLDOUT, NEWEST, REFERENCE, Answers, Inspection, Limits
from lifecycle.core.performance.reference import reference_of
from lifecycle.core.validation import Standards, judge
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Model, Version
from lifecycle.ports import Artifacts, CaptureLog, Sandbox


class Trial:
    """Runs versions in the sandbox on the rows that they are judged by.

    Args:
        read: gives a version's reference data.
    """

    def __init__(
        self,
        artifacts: Artifacts,
        sandbox: Sandbox,
        captures: CaptureLog,
        read: Reference,
        limits: Limits | None = None,
    ) -> None:
        self._artifacts = artifacts
        self._sandbox = sandbox
        self._captures = captures
        self._read = read
        self._limits = limits or Limits()

    async def judge(
        self,
        version: Version,
        champion: Version | None,
        model: Model,
        standards: Standards,
        *,
        change_allowed: bool = False,
    ) -> tuple[Finding, ...]:
        """Run a version and the champion on the same rows, and judge what came of it.

        The version's own reference and golden rows count; without any, the champion's stand in.

        Raises:
            LifecycleError: REFUSED if a stored file was altered, UNAVAILABLE if it cannot be read.
        """
        if champion is not None and champion.number == version.number:
            champion = None
        signature = champion.signature if champion is not None else None
        fits = compatible(version.signature, signature).verdict is Verdict.PASS
        beside = champion if fits else None
        with tempfile.TemporaryDirectory(prefix="headrace-trial-") as folder:
            rows = await self._rows(version, beside, Path(folder) / "newest.parquet")
            if model.holdout and fits:
                rows[HOLDOUT] = await self._fetch(model.holdout, model.holdout_digest)
            seen = await self.run(version, rows, beside)
        known = reference_of(beside) if beside is not None else None
        return judge(
            seen,
            signature,
            standards,
            ranges=version.ranges,
            change_allowed=change_allowed,
            yardstick=None if known is None else known.yardstick,
        )

    async def reference(self, version: Version) -> Answers:
        """A version's answers to its own reference rows; empty without such rows."""
        if not version.reference:
            return Answers()
        rows = await self._fetch(version.reference, version.reference_digest)
        seen = await self.run(version, {REFERENCE: rows})
        return seen.sets.get(REFERENCE, Answers())

    async def run(self, version: Version, rows: dict[str, Path], beside: Version | None = None) -> Inspection:
        """A version's answers to sets of rows, with another's beside them."""
        artifact = await self._fetch(version.artifact, version.digest)
        other = await self._fetch(beside.artifact, beside.digest) if beside is not None else None
        return await self._sandbox.inspect(artifact, self._limits, rows, other)

    async def _rows(self, version: Version, champion: Version | None, newest: Path) -> dict[str, Path]:
        rows = {}
        stand_in = champion or version
        reference = version if version.reference else stand_in
        if reference.reference:
            rows[REFERENCE] = await self._fetch(reference.reference, reference.reference_digest)
        golden = version if version.golden else stand_in
        if golden.golden:
            rows[GOLDEN] = await self._fetch(golden.golden, golden.golden_digest)
        if champion is not None:
            block = await asyncio.to_thread(newest_block, version, champion, self._captures, self._read)
            if block is not None:
                await asyncio.to_thread(pq.write_table, block, newest)
                rows[NEWEST] = newest
        return rows

    async def _fetch(self, uri: str, digest: str) -> Path:
        return await asyncio.to_thread(self._artifacts.fetch, uri, digest)
