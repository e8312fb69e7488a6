"""The rules of the late join."""

from lifecycle.core.feedback import sort


def test_every_label_has_one_fate() -> None:
    fates = sort(
        ["new", "early", "same", "other", "new", "new"],
        [1, 2, 3, 4, 1, 9],
        {"same": 3, "other": 5},
        {"new", "same", "other"},
    )
    assert fates.fresh == (0, 1)
    assert fates.unknown == (1,)
    assert fates.joined == 1
    assert fates.duplicate == (2, 4)
    assert fates.conflicting == (3, 5)


def test_a_label_of_zero_stands_too() -> None:
    assert sort(["a"], [1], {"a": 0}, {"a"}).conflicting == (0,)
    assert sort(["a", "a"], ["", ""], {}, {"a"}).duplicate == (1,)
