"""A model card as Markdown and as an HTML page. What people wrote is text in both, never markup."""

import re
from html import escape

from lifecycle.core.card import Card, Section

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; border-bottom: 1px solid #ccc; }
td { overflow-wrap: anywhere; }
p { white-space: pre-wrap; }
""".strip()


def markdown(card: Card) -> str:
    """CommonMark, with tables as GitHub writes them."""
    parts = [f"# {_plain(card.title)}"]
    for section in card.sections:
        parts += [f"## {_plain(section.title)}", _markdown_body(section)]
    return "\n\n".join(parts) + "\n"


def html(card: Card) -> str:
    """A whole page that needs nothing else: no script, no other file."""
    sections = "\n".join(f"<h2>{escape(one.title)}</h2>\n{_html_body(one)}" for one in card.sections)
    title = escape(card.title)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n{sections}\n</body>\n</html>\n"
    )


def _markdown_body(section: Section) -> str:
    if not section.columns:
        return "\n\n".join(_plain(part) for part in re.split(r"\n\s*\n", section.text.strip()))
    lines = [section.columns, tuple("---" for _ in section.columns), *section.rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _html_body(section: Section) -> str:
    if not section.columns:
        return f"<p>{escape(section.text)}</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in section.columns) if any(section.columns) else ""
    rows = [f"<tr>{head}</tr>"] if head else []
    rows += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in section.rows]
    return "<table>\n" + "\n".join(rows) + "\n</table>"


def _cell(text: str) -> str:
    return text if text == "---" else _plain(text)


def _plain(text: str) -> str:
    """One line in which no character starts markup."""
    return re.sub(r"([\\`*_\[\]<>|#~&])", r"\\\1", " ".join(text.split()))
