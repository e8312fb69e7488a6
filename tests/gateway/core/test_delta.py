"""A delta leads to the very table that it was made from, alone or joined with others."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.delta import RouteDelta, advance, difference
from gateway.core.keys import Key, Keyring, KeyRole
from gateway.core.routing import EMPTY, ModelRoute, RouteTable, VersionEntry
from gateway.core.signature import Signature


def route(name: str, version: int) -> ModelRoute:
    entry = VersionEntry(version, "", f"digest {version}", Signature((), ()))
    return ModelRoute(name, (entry,), version, ((version, 100.0),))


MODELS = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3))
KEYRINGS = st.sampled_from([Keyring(()), Keyring((Key("ann", "d", KeyRole.VIEWER),))])
HISTORIES = st.lists(st.tuples(MODELS, KEYRINGS), min_size=1, max_size=6)


@given(HISTORIES)
def test_deltas_lead_to_the_whole_table(history: list[tuple[dict[str, int], Keyring]]) -> None:
    tables = [EMPTY] + [
        RouteTable(generation, {name: route(name, version) for name, version in models.items()}, keys)
        for generation, (models, keys) in enumerate(history, 1)
    ]
    steps = [difference(old, new) for old, new in itertools.pairwise(tables)]
    table, joined = EMPTY, RouteDelta(0, 0, {})
    for step, wanted in zip(steps, tables[1:], strict=True):
        table, joined = advance(table, step), joined.then(step)
        assert table == wanted == advance(EMPTY, joined)


def test_an_alias_that_moved_is_a_change() -> None:
    old = RouteTable(1, {name: route(name, 1) for name in "ab"})
    new = RouteTable(2, {**old.models, "b": replace(route("b", 1), aliases=(("audited", 1),))})
    assert difference(old, new).models == {"b": new.models["b"]}


def test_only_what_changed_travels() -> None:
    old = RouteTable(1, {name: route(name, 1) for name in "abc"})
    new = RouteTable(2, {"a": route("a", 1), "b": route("b", 2), "d": route("d", 1)})
    delta = difference(old, new)
    assert delta.models.keys() == {"b", "d"}
    assert delta.gone == {"c"}
    assert delta.keys is None


def test_a_delta_fits_one_table_only() -> None:
    delta = RouteDelta(3, 4, {})
    with pytest.raises(ValueError, match="from 3"):
        advance(RouteTable(2, {}), delta)
    with pytest.raises(ValueError, match="does not follow"):
        delta.then(delta)
