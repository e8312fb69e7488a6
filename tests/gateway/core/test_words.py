import pytest

from gateway.core.words import listed, nearest, or_rather, quoted


def test_a_word_is_short_and_safe_to_log() -> None:
    assert quoted("x") == "'x'"
    assert len(quoted("x" * 5000)) == 80
    assert "\n" not in quoted("a\nb")


def test_of_many_words_the_first_are_said_and_all_are_counted() -> None:
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(()) == ""
    assert listed(dict.fromkeys("abcdefgh")) == "'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'"
    assert listed([f"column_{i}" for i in range(300)]).endswith("'column_7', … (300 in all)")
    assert len(listed(["x" * 5000] * 300)) < 700


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("irs", "iris"),
        ("Iris", "iris"),
        ("fruad", "fraud"),
        ("iris_", "iris"),
        ("nothing", ""),
        ("", ""),
        ("i" * 5000, ""),
    ],
)
def test_a_name_that_was_probably_meant_is_told(typed: str, meant: str) -> None:
    assert nearest(typed, ["fraud", "iris", "digits"]) == meant
    assert or_rather(typed, ["fraud", "iris", "digits"]) == (f"; did you mean '{meant}'?" if meant else "")
