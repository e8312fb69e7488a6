"""A card as text: whatever people write, it cannot become markup."""

from html.parser import HTMLParser

from lifecycle.core.card import Card, Section
from lifecycle.core.card_text import html, markdown

EVIL = "<script>alert(1)</script> | [x](javascript:1)\n# big *bold* `code` &amp;"
CARD = Card(
    "m version 2",
    (
        Section("Owner", "first part\n\nsecond part"),
        Section("Limitations", EVIL),
        Section("Evidence", columns=("gate", "reason"), rows=(("load", EVIL),)),
        Section("Version", columns=("", ""), rows=(("stage", "approved"),)),
    ),
)


class Page(HTMLParser):
    """Gathers a page's elements and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_markdown_has_a_table_per_table_and_a_line_per_row() -> None:
    lines = markdown(CARD).splitlines()
    assert lines[0] == "# m version 2"
    assert lines[2:7] == ["## Owner", "", "first part", "", "second part"]
    start = lines.index("## Evidence")
    assert lines[start + 2 : start + 4] == ["| gate | reason |", "| --- | --- |"]
    assert lines[start + 4].startswith("| load | \\<script\\>")
    assert lines[start + 5] == ""


def test_in_markdown_nothing_that_people_wrote_is_markup() -> None:
    text = markdown(CARD)
    bare = [text[i] for i in range(1, len(text)) if text[i] in "<>[]*`&" and text[i - 1] != "\\"]
    assert bare == []
    assert text.count("\n# ") == 0


def test_in_html_everything_that_people_wrote_is_text() -> None:
    page = Page(html(CARD))
    assert page.tags == {
        *("html", "head", "meta", "title", "style", "body"),
        *("h1", "h2", "p"),
        *("table", "tr", "th", "td"),
    }
    assert page.text.count(EVIL) == 2
