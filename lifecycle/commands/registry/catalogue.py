"""What people say about models and versions: descriptions and aliases. Every word is in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from lifecycle.commands.lookup import find_model, find_version
from lifecycle.commands.publish import Publisher
from lifecycle.core.alias import aliases, check_free
from lifecycle.core.card import Card, card
from lifecycle.core.version import Description, Model, Version
from lifecycle.errors import LifecycleCode, LifecycleError
from lifecycle.ports import Entry, Store

MOST_TAGS = 100
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Words:
    """What is to be said anew; None is left as it is, and so are tags and metrics that are not named.

    A tag or metric that is None is taken away.
    """

    owner: str | None = None
    intended_use: str | None = None
    limitations: str | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    metrics: Mapping[str, float | None] = field(default_factory=dict)


class Catalogue:
    """Commands on what is known of versions. None of them changes what serves."""

    def __init__(self, store: Store, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher

    def describe(
        self, model: str, number: int, words: Words, actor: str, *, if_revision: int | None = None
    ) -> Version:
        """Say something of a version. Saying it again changes nothing.

        Raises:
            LifecycleError: NOT_FOUND, STALE, or INVALID for too many tags or metrics.
        """
        find_model(self._store, model, if_revision)
        version = find_version(self._store, model, number)
        after = _said(version.description, words)
        if max(len(after.tags), len(after.metrics)) > MOST_TAGS:
            message = f"a version has at most {MOST_TAGS} tags and {MOST_TAGS} metrics; take some away"
            raise LifecycleError(LifecycleCode.INVALID, message)
        if after == version.description:
            return version
        changed = {
            name: value
            for name in Description.__dataclass_fields__
            if (value := getattr(after, name)) != getattr(version.description, name)
        }
        version = replace(version, description=after)
        self._store.commit(Entry(actor, "version.described", model, {"version": number} | changed), version)
        return version

    def card(self, model: str, number: int) -> Card:
        """The model card of a version. Raises LifecycleError NOT_FOUND."""
        version = find_version(self._store, model, number)
        rollouts = (one for one in self._store.rollouts(model) if one.version == number)
        return card(find_model(self._store, model), version, rollouts)

    def alias(
        self, model: str, alias: str, number: int, actor: str, *, if_revision: int | None = None
    ) -> Model:
        """Let a name stand for a version; it may have stood for another.

        Raises:
            LifecycleError: NOT_FOUND, STALE, or INVALID for a name that is not free.
        """
        check_free(alias)
        found = find_model(self._store, model, if_revision)
        before = aliases(found).get(alias)
        find_version(self._store, model, number)
        if before == number:
            return found
        detail = {"alias": alias, "version": number, "before": before}
        return self._named(found, dict(found.aliases) | {alias: number}, "alias.set", detail, actor)

    def unalias(self, model: str, alias: str, actor: str, *, if_revision: int | None = None) -> Model:
        """Take a name away. Raises LifecycleError STALE, or NOT_FOUND if it stood for nothing."""
        check_free(alias)
        found = find_model(self._store, model, if_revision)
        if alias not in found.aliases:
            raise LifecycleError(LifecycleCode.NOT_FOUND, f"model {model!r} has no alias {alias!r}")
        kept = {name: number for name, number in found.aliases.items() if name != alias}
        detail = {"alias": alias, "before": found.aliases[alias]}
        return self._named(found, kept, "alias.removed", detail, actor)

    def _named(
        self, model: Model, names: Mapping[str, int], kind: str, detail: Mapping[str, object], actor: str
    ) -> Model:
        after = replace(model, revision=model.revision + 1, aliases=names)
        self._publisher.commit(Entry(actor, kind, model.name, dict(detail)), after)
        return after


def _said(before: Description, words: Words) -> Description:
    given = {name: getattr(words, name) for name in ("owner", "intended_use", "limitations")}
    plain = {name: value.strip() for name, value in given.items() if value is not None}
    tags, metrics = _kept(before.tags, words.tags), _kept(before.metrics, words.metrics)
    return replace(before, tags=tags, metrics=metrics, **plain)


def _kept(before: Mapping[str, T], said: Mapping[str, T | None]) -> dict[str, T]:
    return {name: value for name, value in {**before, **said}.items() if value is not None}
