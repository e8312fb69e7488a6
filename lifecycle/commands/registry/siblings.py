"""What a new version has to do with those of its model that are there already."""

import hashlib
from pathlib import Path

from gateway.core.ranges import OutputRange, declared
from gateway.core.signature import Signature
from lifecycle.commands.lookup import find_versions
from lifecycle.commands.registry.intake import Submission
from lifecycle.core.stages import Stage
from lifecycle.core.version import Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Store


def present(store: Store, name: str, number: int | None, digest: str) -> Version | None:
    """The version that a file of this digest is, if it was registered before.

    Raises:
        LifecycleError: CONFLICT if the number is taken by another file.
    """
    versions = find_versions(store, name)
    found = versions.get(max(versions, default=0) if number is None else number)
    if number is None and found is not None and found.stage is Stage.RETIRED:
        return None  # away for good; its file may come back under the next number
    if found is None or found.digest == digest:
        return found
    if number is None:
        return None
    raise LifecycleError(
        LifecycleCode.CONFLICT, f"version {number} of {name!r} is another file; choose a new number"
    )


def refuse_others(known: Version, given: Submission) -> None:
    """A version never changes, so its file may come again, but with nothing other beside it. Reads the rows.

    Raises:
        LifecycleError: CONFLICT naming what is another.
    """
    others = {
        "reference rows": _differs(given.reference, known.reference_digest),
        "golden rows": _differs(given.golden, known.golden_digest),
        "output ranges": ranges_after(known, given.ranges, known.signature) != known.ranges,
        "recipe": given.recipe not in ("", known.lineage.recipe),
    }
    if found := [name for name, other in others.items() if other]:
        message = (
            f"version {known.number} of {known.model!r} is the same file with other {' and '.join(found)}; "
            "a version never changes, so give a new number (`--version`)"
        )
        raise LifecycleError(LifecycleCode.CONFLICT, message)


def _differs(rows: Path | None, digest: str) -> bool:
    if rows is None:
        return False
    with rows.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" != digest


def before(store: Store, name: str) -> Version | None:
    """The champion, or else the newest version: the next one carries on from it."""
    versions, model = find_versions(store, name), next(iter(store.models(name)), None)
    return versions.get(model.champion if model and model.champion else max(versions, default=0))


def ranges_after(
    last: Version | None, new: tuple[OutputRange, ...], signature: Signature
) -> tuple[OutputRange, ...]:
    """Of a new version's outputs: what is said of it, and where nothing is what held. Raises INVALID."""
    try:
        return declared(new, last.ranges if last else (), signature)
    except ValueError as error:
        raise LifecycleError(LifecycleCode.INVALID, str(error)) from None
