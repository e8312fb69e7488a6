"""Takes files in: stored by digest, inspected as stored, summed up as what a version is made of.

What is inspected is the stored copy, so nothing can change between the look and the use.
"""

import asyncio
import hashlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from gateway.core.placement import Placement
from gateway.core.profile import Profile
from gateway.core.ranges import OutputRange
from gateway.core.signature import Signature
from lifecycle.core.governance.policy import Policy
from lifecycle.core.inspection import GOLDEN, REFERENCE, Answers, Limits
from lifecycle.core.sniff import HEAD_BYTES, foreign
from lifecycle.core.validation import stopped
from lifecycle.core.verdict import Verdict
from lifecycle.core.version import Lineage, PackageSignature, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Artifacts, Sandbox
from lifecycle.signing import verify


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in the artifact store."""

    uri: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """An inspected artifact and what belongs to it; the URIs of what it lacks are empty.

    `memory_mb` is what the version took when it was loaded and run.
    """

    artifact: Stored
    signature: Signature
    memory_mb: float = 0.0
    profile: Stored = Stored()
    reference: Stored = Stored()
    golden: Stored = Stored()


@dataclass(frozen=True, slots=True)
class SignatureFile:
    """A signature that came with an artifact. `name` is the file's that was signed, which counts too."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What people and trainers bring along with an artifact.

    Args:
        reference: Parquet rows that stand for normal traffic, optionally with their `label`.
        golden: Parquet rows with the `outputs.<tensor>` that every later version must give too.
        recipe: `module:function` that trains the model from now on; empty leaves it as it is.
        placement: of a new model; None leaves it to what is measured.
        signature: of the file; may also be brought later, with the same file.
        ranges: of outputs; those of the champion, or else of the newest version, hold on where they fit.
    """

    reference: Path | None = None
    golden: Path | None = None
    recipe: str = ""
    placement: Placement | None = None
    lineage: Lineage = field(default_factory=Lineage)
    signature: SignatureFile | None = None
    ranges: tuple[OutputRange, ...] = ()


NOTHING = Submission()


class Intake:
    """The one way into the artifact store for what people and trainers bring."""

    def __init__(self, artifacts: Artifacts, sandbox: Sandbox, limits: Limits) -> None:
        self._artifacts = artifacts
        self._sandbox = sandbox
        self._limits = limits

    def store(self, artifact: Path) -> Stored:
        """Store a file that may be ONNX. Blocks.

        Raises:
            LifecycleError: UNSUPPORTED for a file known to be something else, REFUSED for one that is empty
                or over the size limit.
        """
        try:
            with artifact.open("rb") as file:
                head, size = file.read(HEAD_BYTES), artifact.stat().st_size
        except OSError:
            raise LifecycleError(LifecycleCode.INVALID, "the model's file cannot be read") from None
        if kind := foreign(head):
            raise LifecycleError(
                LifecycleCode.UNSUPPORTED,
                f"the artifact is {kind}, and only ONNX files are served here; export the model to ONNX",
            )
        if not size:
            raise _refused("it is empty")
        if size > self._limits.max_bytes:
            raise _refused(f"it has {size} bytes; the limit is {self._limits.max_bytes}")
        return Stored(*self._artifacts.put(artifact))

    async def check(
        self, artifact: Stored, given: SignatureFile | None, policy: Policy, now: float
    ) -> PackageSignature | None:
        """The signature of a stored artifact, None if there is none and none is needed.

        Raises:
            LifecycleError: REFUSED if it is missing or not good.
        """
        if given is None:
            if policy.signed:
                raise _refused("this model's packages must be signed; sign it with `headrace model sign`")
            return None
        return await asyncio.to_thread(self._checked, artifact, given, policy, now)

    def _checked(
        self, artifact: Stored, given: SignatureFile, policy: Policy, now: float
    ) -> PackageSignature:
        path = self._artifacts.fetch(artifact.uri, artifact.digest)
        signer = verify(path, artifact.digest, given.name, given.path, [Path(one) for one in policy.trusted])
        digest = f"sha256:{hashlib.sha256(signer.read_bytes()).hexdigest()}"
        return PackageSignature(signer.name, digest, *self._artifacts.put(given.path), now)

    async def inspect(
        self,
        artifact: Stored,
        reference: Path | None = None,
        golden: Path | None = None,
        last: Version | None = None,
    ) -> Package:
        """Load a stored artifact in the sandbox, run the rows that came with it and take their profile.

        Args:
            last: the version that this one is to be compared with: its scores are cut like that one's.

        Raises:
            LifecycleError: REFUSED naming the gate that failed, UNAVAILABLE if the inspection broke.
        """
        path = await asyncio.to_thread(self._artifacts.fetch, artifact.uri, artifact.digest)
        given = {REFERENCE: reference, GOLDEN: golden}
        stored = {
            name: await asyncio.to_thread(self._put, file) for name, file in given.items() if file is not None
        }
        rows = {
            name: await asyncio.to_thread(self._artifacts.fetch, file.uri, file.digest)
            for name, file in stored.items()
        }
        seen = await self._sandbox.inspect(path, self._limits, rows)
        stop = stopped(seen.findings)
        if stop is not None and stop.verdict is Verdict.ERROR:
            raise LifecycleError(LifecycleCode.UNAVAILABLE, f"{stop.reason}; try again")
        if stop is not None or seen.signature is None:
            raise _refused(
                f"gate `{stop.name}`: {stop.reason}" if stop is not None else "it has no signature"
            )
        normal = seen.sets.get(REFERENCE)
        profile = await asyncio.to_thread(self._profile, normal, last) if normal is not None else Stored()
        memory_mb = seen.cost.memory_mb if seen.cost is not None else 0.0
        of = [stored.get(name, Stored()) for name in (REFERENCE, GOLDEN)]
        return Package(artifact, seen.signature, memory_mb, profile, *of)

    def _put(self, rows: Path) -> Stored:
        if not rows.is_file():
            raise LifecycleError(LifecycleCode.INVALID, "the file of rows cannot be read")
        return Stored(*self._artifacts.put(rows))

    def _profile(self, seen: Answers, last: Version | None) -> Stored:
        like = None
        if last is not None and last.profile:
            stored = self._artifacts.fetch(last.profile, last.profile_digest)
            like = Profile.from_bytes(stored.read_bytes())
        with tempfile.NamedTemporaryFile() as file:
            file.write(Profile.of(seen.inputs, seen.outputs, like).to_bytes())
            file.flush()
            return Stored(*self._artifacts.put(Path(file.name)))


def _refused(reason: str) -> LifecycleError:
    return LifecycleError(LifecycleCode.REFUSED, f"the artifact is refused: {reason}")
