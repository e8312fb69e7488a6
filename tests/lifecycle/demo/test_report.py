"""The report stands alone and shows what happened."""

from xml.etree import ElementTree

from lifecycle.demo.charts import Frame, areas, ceiling, lines
from lifecycle.demo.facts import Facts, Moment, Second
from lifecycle.demo.report import render


def facts() -> Facts:
    seconds = [Second(float(at), 10, 0, {1: 6, 2: 4}, {}, 4, 3) for at in range(1, 30)]
    moments = [Moment(5.0, "Version 2 is <registered>")]
    return Facts(0.0, seconds, moments, [(4.0, 0.2)], [("pixel[3]", 1.5)], {"Requests": "290"})


def test_the_report_needs_nothing_from_elsewhere() -> None:
    page = render(facts())
    assert "<script" not in page
    assert "src=" not in page
    assert "href=" not in page


def test_it_tells_totals_moments_and_features_escaped() -> None:
    page = render(facts())
    assert "290" in page
    assert "pixel[3]" in page
    assert "Version 2 is &lt;registered&gt;" in page


def test_charts_are_well_formed_and_keep_within_their_frame() -> None:
    frame = Frame(10, 100)
    for draw in (lines, areas):
        figure = draw("Shares & more", frame, {"a": [(0, 10), (20, 500)], "b": [(0, 1), (20, 2)]}, [5], " %")
        assert ElementTree.fromstring(figure).tag == "figure"
    assert frame.x(99) == frame.x(10)
    assert frame.y(500) == frame.y(100)


def test_axes_end_on_plain_numbers() -> None:
    assert [ceiling(value) for value in (0, 0.13, 1, 14.6, 924)] == [1, 0.2, 1, 20, 1000]
