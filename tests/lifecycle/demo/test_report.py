"""The report stands alone and shows what happened."""

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
