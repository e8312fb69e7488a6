"""Gathers what the gates of validation need to know, and has them judged. Changes nothing."""

import asyncio

from lifecycle.core.validation import Inspection, Limits, compatible, judge, stopped
from lifecycle.core.verdict import Finding, Verdict
from lifecycle.core.version import Version
from lifecycle.ports import Artifacts, Sandbox


class Trial:
    def __init__(self, artifacts: Artifacts, sandbox: Sandbox, limits: Limits) -> None:
        self._artifacts = artifacts
        self._sandbox = sandbox
        self._limits = limits

    async def judge(self, version: Version, champion: Version | None) -> tuple[Finding, ...]:
        """Run a version, and where there are labels the champion on the same rows.

        The version's own reference rows count; without any, the champion's stand in.

        Raises:
            LifecycleError: REFUSED if a stored file was altered, UNAVAILABLE if it cannot be read.
        """
        if champion is not None and champion.number == version.number:
            champion = None
        signature = champion.signature if champion is not None else None
        rows = version
        if champion is not None and not version.reference:
            fits = compatible(version.signature, signature).verdict is Verdict.PASS
            rows = champion if fits else version
        seen = await self._inspect(version, rows)
        beside = None
        if champion is not None and seen.labels is not None and stopped(seen.findings) is None:
            beside = await self._inspect(champion, rows)
        return judge(seen, signature, self._limits, beside)

    async def _inspect(self, version: Version, rows: Version) -> Inspection:
        artifact = await asyncio.to_thread(self._artifacts.fetch, version.artifact, version.digest)
        reference = None
        if rows.reference:
            reference = await asyncio.to_thread(self._artifacts.fetch, rows.reference, rows.reference_digest)
        return await self._sandbox.inspect(artifact, self._limits, reference)
