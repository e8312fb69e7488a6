"""Names that follow the traffic, and names that people set."""

from dataclasses import replace

import pytest

from lifecycle.core.alias import aliases, check_free, resolve
from lifecycle.core.version import Model
from lifecycle.errors import LifecycleCode, LifecycleError

SPLIT = Model(
    "m", 1, 0.0, champion=1, weights=((1, 80.0), (2, 5.0), (3, 15.0), (4, 0.0)), aliases={"audited": 7}
)


def test_champion_and_canary_follow_the_traffic() -> None:
    assert aliases(SPLIT) == {"audited": 7, "champion": 1, "canary": 3}
    assert aliases(replace(SPLIT, weights=((1, 100.0),))) == {"audited": 7, "champion": 1}
    assert aliases(Model("m", 1, 0.0)) == {}


@pytest.mark.parametrize(("called", "number"), [("12", 12), ("champion", 1), ("canary", 3), ("audited", 7)])
def test_a_version_is_meant_by_number_or_name(called: str, number: int) -> None:
    assert resolve(SPLIT, called) == number


@pytest.mark.parametrize(
    ("called", "code"),
    [
        ("0", LifecycleCode.INVALID),
        ("-1", LifecycleCode.INVALID),
        (str(2**63), LifecycleCode.INVALID),
        ("9" * 5000, LifecycleCode.INVALID),
        ("1e3", LifecycleCode.NOT_FOUND),
        ("Champion", LifecycleCode.NOT_FOUND),
        ("", LifecycleCode.NOT_FOUND),
    ],
)
def test_what_means_no_version(called: str, code: LifecycleCode) -> None:
    with pytest.raises(LifecycleError) as refused:
        resolve(SPLIT, called)
    assert refused.value.code is code


@pytest.mark.parametrize("alias", ["champion", "canary", "7", "", "a b", "a/b", "x" * 65, "é"])
def test_names_that_people_cannot_set(alias: str) -> None:
    with pytest.raises(LifecycleError) as refused:
        check_free(alias)
    assert refused.value.code is LifecycleCode.INVALID
