"""Finds in the store what a command names."""

from gateway.core.words import listed, or_rather
from lifecycle.core.alias import resolve
from lifecycle.core.rollouts.rollout import Rollout
from lifecycle.core.version import Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Store


def find_model(store: Store, name: str, if_revision: int | None = None) -> Model:
    """Raises NOT_FOUND, or STALE if the model is not at the revision that the caller saw."""
    found = store.models(name)
    if not found:
        # Where there are keys, a name may be one that the caller is not to know.
        hint = "" if store.api_keys() else or_rather(name, (model.name for model in store.models()))
        raise LifecycleError(LifecycleCode.NOT_FOUND, f"there is no model {name!r}{hint}")
    if if_revision is not None and found[0].revision != if_revision:
        raise LifecycleError(
            LifecycleCode.STALE,
            f"model {name!r} is at revision {found[0].revision}, not {if_revision}; look again",
        )
    return found[0]


def person(store: Store, actor: str) -> str:
    """Whose key the ledger means by a name; the name itself where no key has it.

    An owner may be told by the name of another key of theirs.
    """
    owners, names = {key.name: key.person for key in store.api_keys()}, [actor]
    while (owner := owners.get(names[-1], names[-1])) not in names:
        names.append(owner)
    # Those who own each other are one, too, from wherever it is looked.
    return min(names[names.index(owner) :])


def find_versions(store: Store, model: str) -> dict[int, Version]:
    """By number."""
    return {version.number: version for version in store.versions(model)}


def find_version(store: Store, model: str, number: int) -> Version:
    """Raises NOT_FOUND."""
    find_model(store, model)
    versions = find_versions(store, model)
    if version := versions.get(number):
        return version
    message = f"model {model!r} has no version {number}; there is {listed(sorted(versions)) or 'none'}"
    raise LifecycleError(LifecycleCode.NOT_FOUND, message)


def find_number(store: Store, model: str, called: str) -> int:
    """The number that a version's number or alias means. Raises NOT_FOUND or INVALID."""
    return resolve(find_model(store, model), called)


def active_rollout(store: Store, model: str) -> Rollout | None:
    """The one under way; a model has one at most."""
    return next(iter(store.rollouts(model, active=True)), None)


def in_use(store: Store, model: str, number: int) -> bool:
    """Whether workers are to hold a version: it has traffic, or a rollout that may load it at any moment."""
    rollout = active_rollout(store, model)
    return number in find_model(store, model).loaded() or (rollout is not None and rollout.version == number)
