import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.keys import Key, Keyring, KeyRole
from gateway.core.limits import ModelLimits
from gateway.core.routing import Choice, Draws, ModelRoute, RouteTable, VersionEntry, choose, key_point
from gateway.core.signature import Signature, TensorSpec
from gateway.core.types import Role
from gateway.errors import ErrorCode, GatewayError

SIGNATURE = Signature((TensorSpec("x", "FP32", (-1, 2)),), (TensorSpec("y", "FP32", (-1,)),))


def entry(version: int) -> VersionEntry:
    return VersionEntry(version, f"{version}.onnx", f"sha256:{version:064x}", SIGNATURE)


def route(*weights: tuple[int, float], champion: int = 1, shadows: tuple[int, ...] = ()) -> ModelRoute:
    return ModelRoute("m", tuple(entry(v) for v in (1, 2, 3)), champion, weights, shadows)


def shares(table: ModelRoute, n: int, start: float = 0.1) -> Counter[int]:
    draws = Draws(start)
    return Counter(choose(table, None, "", draws()).version for _ in range(n))


def test_the_champion_answers_alone() -> None:
    assert choose(route((1, 100)), None, "", 0.999) == Choice(1, Role.CHAMPION)


@given(st.floats(0, 1, exclude_max=True), st.sampled_from([1.0, 5.0, 10.0, 50.0]))
def test_shares_are_near_exact_at_small_counts(start: float, weight: float) -> None:
    got = shares(route((1, 100 - weight), (2, weight)), 1000, start)
    assert got[2] == pytest.approx(10 * weight, abs=5)


@given(st.text(), st.floats(0, 100), st.floats(0, 100))
def test_a_key_once_on_the_canary_stays_as_it_grows(key: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    before = choose(route((1, 100 - small), (2, small)), None, key, 0.0)
    after = choose(route((1, 100 - large), (2, large)), None, key, 0.0)
    assert before.version == 1 or after.version == 2


def test_a_key_always_lands_on_the_same_point() -> None:
    # Pinned: a change of the function would move every sticky caller.
    assert key_point("m", "user-1") == key_point("m", "user-1")
    assert key_point("m", "user-1") != key_point("n", "user-1")
    assert key_point("digits", "alice") == pytest.approx(0.15250611747114573, abs=1e-15)


def test_an_alias_pins_the_version_that_it_stands_for_now() -> None:
    named = replace(route((1, 90), (2, 10)), aliases=(("audited", 3), ("old", 9)))
    for alias, version in (("champion", 1), ("canary", 2), ("audited", 3)):
        assert choose(named, alias, "key", 0.0) == Choice(version, Role.PINNED)
    known = "there is 'audited', 'canary', 'champion', 'old'"
    with pytest.raises(GatewayError, match=f"called 'newest'; {known}") as caught:
        choose(named, "newest", "", 0.0)
    assert caught.value.code is ErrorCode.NOT_FOUND
    with pytest.raises(GatewayError, match="no version 9 loaded; there is 1, 2, 3"):
        choose(named, "old", "", 0.0)
    with pytest.raises(GatewayError, match="there is none"):
        choose(ModelRoute("m", ()), "champion", "", 0.0)
    assert ModelRoute.from_json(json.loads(json.dumps(named.as_json()))) == named


def test_a_pinned_version_bypasses_the_weights() -> None:
    assert choose(route((1, 100)), 3, "key", 0.0) == Choice(3, Role.PINNED)
    with pytest.raises(GatewayError) as caught:
        choose(route((1, 100)), 9, "", 0.0)
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_without_a_champion_there_is_no_answer_yet() -> None:
    with pytest.raises(GatewayError) as caught:
        choose(route(champion=0), None, "", 0.5)
    assert caught.value.code is ErrorCode.NOT_READY


def test_a_weight_of_nothing_gets_nothing() -> None:
    assert shares(route((1, 100), (2, 0)), 1000)[2] == 0


@pytest.mark.parametrize(
    ("weights", "champion", "shadows"),
    [
        (((1, 90),), 1, ()),
        (((1, 110), (2, -10)), 1, ()),
        (((2, 100),), 1, ()),
        (((1, 100),), 0, ()),
        ((), 1, ()),
        (((1, 50), (9, 50)), 1, ()),
        (((1, 50), (1, 50)), 1, ()),
        (((1, 100),), 1, (9,)),
    ],
)
def test_a_route_that_makes_no_sense_is_refused(
    weights: tuple[tuple[int, float], ...], champion: int, shadows: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="model 'm'"):
        route(*weights, champion=champion, shadows=shadows)


def test_a_route_survives_json() -> None:
    rich = replace(
        route((1, 90), (2, 10), shadows=(3,)), limits=ModelLimits(4, 8), held=(1, 3), resident=True
    )
    assert ModelRoute.from_json(json.loads(json.dumps(rich.as_json()))) == rich


def test_what_is_to_be_held_is_among_the_versions() -> None:
    with pytest.raises(ValueError, match="version 9 is used"):
        replace(route((1, 100)), held=(9,))


def test_an_unknown_model_is_told_with_the_one_that_was_meant_unless_keys_hide_names() -> None:
    models = {"iris": ModelRoute("iris", ())}
    for _ in range(2):  # the second time from what was found the first
        told = RouteTable(1, models).unknown("irs")
        assert (told.code, told.message) == (
            ErrorCode.NOT_FOUND,
            "no model named 'irs' is served here; did you mean 'iris'?",
        )
    key = Key("ann", "0" * 64, KeyRole.INFERENCE)
    assert (
        RouteTable(1, models, Keyring((key,))).unknown("irs").message == "no model named 'irs' is served here"
    )
