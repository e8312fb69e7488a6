"""What a new version has to do with those of its model that are there already."""

from gateway.core.ranges import OutputRange, declared
from gateway.core.signature import Signature
from lifecycle.commands.lookup import find_versions
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
