"""The demo's report: one HTML file that needs nothing else."""

import math
from html import escape

from lifecycle.demo.charts import Frame, areas, ceiling, lines
from lifecycle.demo.facts import Facts

STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fdfdfb; --rule: #d8dbe0; --soft: #667080; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --paper: #14181f; --rule: #333a45;
  --soft: #98a2b3; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 58rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--rule); vertical-align: top; }
td:first-child { color: var(--soft); font-variant-numeric: tabular-nums; } td { overflow-wrap: anywhere; }
@media (min-width: 40rem) { td:first-child { white-space: nowrap; } }
@media (max-width: 40rem) { .sums td:first-child { width: 50%; } }
.problem { border-left: 4px solid #b3403a; padding-left: .8rem; }
.turns { columns: 20rem; column-gap: 2.5rem; font-size: .95rem; } .turns li { break-inside: avoid; }
.timeline td { white-space: nowrap; } .timeline td:last-child { white-space: normal; }
.turn td { color: var(--ink); font-weight: 600; } .lead { font-size: 1.15rem; }
figure { margin: 1.2rem 0; overflow-x: auto; } figcaption { font-weight: 600; margin-bottom: .3rem; }
svg { width: 100%; min-width: 34rem; height: auto; } svg text { font-size: 11px; fill: var(--soft); }
.grid { stroke: var(--rule); } .mark { stroke: var(--soft); stroke-dasharray: 2 4; }
.legend { list-style: none; padding: 0; display: flex; gap: 1.2rem; flex-wrap: wrap; font-size: .9rem; }
.legend span { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; }
"""
STORY = """A model that reads scanned digits was replaced by a better one, held against a bad one, and
retrained when the scanner wore out, while three kinds of client kept calling."""


def render(facts: Facts, problem: str = "") -> str:
    """The whole page. `problem` is what did not go as it should, if anything."""
    totals = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in facts.totals.items()
    )
    moved = "".join(
        f"<tr><td>{escape(name)}</td><td>{effect:.2f}</td></tr>" for name, effect in facts.moved[:20]
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headrace: serve, split, watch, retrain, swap</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Headrace: serve, split, watch, retrain, swap</h1>
<p class="lead{" problem" if problem else ""}">
<strong>{facts.sent:,} requests, {facts.failed} failed.</strong>
{escape(f"It did not go as it should: {problem}") if problem else STORY}</p>
<h2>In sum</h2>
<table class="sums">{totals}</table>
<h2>Over time</h2>
<ol class="turns">{_turns(facts)}</ol>
{_charts(facts)}
<h2>Timeline</h2>
<table class="timeline">{_timeline(facts)}</table>
<h2>What the worn scanner moved</h2>
<p>The population stability index says how far the values of a feature have moved from those the version was
trained on: 0 is not at all, from 0.2 on one usually speaks of a change.</p>
<table><tr><th>Feature</th><th>Population stability index</th></tr>{moved}</table>
</body>
</html>
"""


def _turns(facts: Facts) -> str:
    """What the numbers in the charts mean."""
    return "".join(f"<li>{escape(moment.what)}</li>" for moment in facts.moments if moment.turn)


def _timeline(facts: Facts) -> str:
    rows, turns = [], 0
    for moment in facts.moments:
        turns += moment.turn
        marked = ("turn", turns) if moment.turn else ("", "")
        rows.append(
            '<tr class="{}"><td>{}</td>'.format(*marked)
            + f"<td>{moment.at - facts.started_at:.1f} s</td><td>{escape(moment.what)}</td></tr>"
        )
    return "".join(rows)


def _charts(facts: Facts) -> str:
    start = facts.started_at
    span = max((second.at - start for second in facts.seconds), default=1.0)
    marks = [moment.at - start for moment in facts.moments if moment.turn]
    versions = sorted({version for second in facts.seconds for version in second.served})
    shares = {
        f"version {version}": [
            (second.at - start, 100 * second.served.get(version, 0) / max(1, sum(second.served.values())))
            for second in facts.seconds
        ]
        for version in versions
    }
    accuracy = [
        (second.at - start, 100 * facts.accuracy(second.at - 2.5, second.at + 0.5))
        for second in facts.seconds
    ]
    known = [(x, y) for x, y in accuracy if not math.isnan(y)]
    drift = [(at - start, effect) for at, effect in facts.drift]
    requests = [(second.at - start, float(second.sent)) for second in facts.seconds]
    failures = [(second.at - start, float(second.failed)) for second in facts.seconds]
    busiest = max((second.sent for second in facts.seconds), default=1) or 1
    largest = max((effect for _, effect in facts.drift), default=0) or 1.0
    charts = [
        areas("Share of traffic by version that served", Frame(span, 100), shares, marks, " %"),
        lines("Accuracy on scans whose labels nobody learns", Frame(span, 100), {"": known}, marks, " %"),
        lines(
            "Drift: largest population stability index", Frame(span, ceiling(largest)), {"": drift}, marks, ""
        ),
        lines(
            "Requests per second, and failures",
            Frame(span, ceiling(busiest)),
            {"requests": requests, "failures": failures},
            marks,
            "",
        ),
    ]
    return "\n".join(charts)
