"""Charts are well-formed SVG, within their frame, on plain axes."""

from itertools import pairwise
from xml.etree import ElementTree

from lifecycle.demo.charts import Frame, areas, ceiling, lines


def test_charts_are_well_formed_and_keep_within_their_frame() -> None:
    frame = Frame(10, 100)
    for draw in (lines, areas):
        figure = draw("Shares & more", frame, {"a": [(0, 10), (20, 500)], "b": [(0, 1), (20, 2)]}, [5], " %")
        assert ElementTree.fromstring(figure).tag == "figure"
    assert frame.x(99) == frame.x(10)
    assert frame.y(500) == frame.y(100)


def test_marks_are_numbered_beside_each_other() -> None:
    figure = ElementTree.fromstring(
        lines("Shares", Frame(600, 100), {"": [(0, 10)]}, [300, 300.1, 500], " %")
    )
    numbers = [text for text in figure.iter("text") if text.text in ("1", "2", "3")]
    places = [float(text.attrib["x"]) for text in numbers]
    assert [text.text for text in numbers] == ["1", "2", "3"]
    assert all(later - earlier >= 12 for earlier, later in pairwise(places))


def test_axes_end_on_plain_numbers() -> None:
    assert [ceiling(value) for value in (0, 0.13, 1, 14.6, 924)] == [1, 0.2, 1, 20, 1000]


def test_labels_of_a_long_axis_do_not_run_into_each_other() -> None:
    assert [Frame(seconds, 1).tick_s for seconds in (100, 300, 900, 9000)] == [15, 30, 60, 300]
