"""The report stands alone and shows what happened."""

from lifecycle.demo.facts import Facts, Moment, Second
from lifecycle.demo.report import render


def facts() -> Facts:
    seconds = [Second(float(at), 10, 0, {1: 6, 2: 4}, {}, 4, 3) for at in range(1, 30)]
    moments = [
        Moment(5.0, "Version 2 is <registered>"),
        Moment(9.0, "Version 2 is promoted", turn=True),
        Moment(20.0, "Drift", turn=True),
    ]
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


def test_turns_of_the_story_carry_the_numbers_of_the_charts() -> None:
    page = render(facts())
    assert "<li>Version 2 is promoted</li><li>Drift</li>" in page
    assert '<tr class="turn"><td>2</td><td>20.0 s</td><td>Drift</td></tr>' in page
    assert page.count('text-anchor="middle">2</text>') == 4
    assert "<td></td><td>5.0 s</td>" in page
    assert "290 requests, 0 failed" in page


def test_a_demo_that_failed_claims_nothing() -> None:
    page = render(facts(), "the rollout <of version 2> did not end")
    assert "It did not go as it should: the rollout &lt;of version 2&gt; did not end" in page
    assert "replaced by a better one" not in page
    assert "replaced by a better one" in render(facts())
