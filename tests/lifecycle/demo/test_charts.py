"""Charts are well-formed SVG, within their frame, on plain axes."""

from xml.etree import ElementTree

from lifecycle.demo.charts import Frame, areas, ceiling, lines


def test_charts_are_well_formed_and_keep_within_their_frame() -> None:
    frame = Frame(10, 100)
    for draw in (lines, areas):
        figure = draw("Shares & more", frame, {"a": [(0, 10), (20, 500)], "b": [(0, 1), (20, 2)]}, [5], " %")
        assert ElementTree.fromstring(figure).tag == "figure"
    assert frame.x(99) == frame.x(10)
    assert frame.y(500) == frame.y(100)


def test_axes_end_on_plain_numbers() -> None:
    assert [ceiling(value) for value in (0, 0.13, 1, 14.6, 924)] == [1, 0.2, 1, 20, 1000]
