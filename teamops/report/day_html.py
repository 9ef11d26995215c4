"""A day's report as one file for a browser: nothing is loaded, nothing runs, it prints well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from teamops.model.day_report import SLOT_S, AgentDay, DayReport, Presence, Stay
from teamops.model.text import clean_line
from teamops.report.day_text import (
    COST_HEAD,
    EMPTY,
    TASK_HEAD,
    cost_rows,
    head,
    mark_of,
    need,
    task_row,
    title_of,
    watched_words,
)
from teamops.report.times import span

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #59636e; --rule: #d1d9e0; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --rule: #3d444d; --paper: #0d1117; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; border-bottom: 1px solid var(--rule); margin-top: 2rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: var(--dim); font-weight: 600; }
td, th { padding: .2rem .6rem .2rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
p.dim { color: var(--dim); }
dl { display: grid; grid-template-columns: 1.2rem 15rem 1fr; gap: .1rem .5rem; margin: .3rem 0; }
dt, dd { margin: 0; } svg { width: 100%; height: auto; display: block; }
svg text { font: 9px system-ui, sans-serif; fill: var(--dim); }
.alive { fill: #2da44e; } .hangs { fill: #d4a72c; } .down { fill: #cf222e; } .held { fill: #8250df; }
.not_there { fill: var(--rule); } .not_observed { fill: url(#unseen); }
.key { display: inline-block; width: 1.2rem; margin: 0 .3rem 0 1rem; }
@media print { body { margin: 0; max-width: none; --ink: #000; --paper: #fff; } section { break-inside: avoid; }
  svg * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
@media (max-width: 40rem) { dl { grid-template-columns: 1.2rem 1fr; } dd { grid-column: 2; } }
"""
_PATTERN = (
    '<svg width="0" height="0" style="position:absolute;height:0" aria-hidden="true"><defs><pattern id="unseen"'
    ' width="6" height="6" patternUnits="userSpaceOnUse"><path d="M0 6 6 0" stroke="#8b949e"/></pattern></defs></svg>'
)
_CLASSES = {presence: presence.value.replace(" ", "_") for presence in Presence}
_WIDTH = 960.0


def day_html(report: DayReport) -> str:
    """Return the report as a whole document. All text from outside is escaped."""
    title = _text(head(report))
    body = [f"<h1>{title}</h1>"]
    if report.empty:
        body.append(f"<p>{_text(EMPTY)}</p>")
    else:
        body += _body(report)
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            *body,
            "</body></html>",
            "",
        )
    )


def _body(report: DayReport) -> list[str]:
    parts = [
        _PATTERN,
        f"<p><strong>{_text(report.summary)}</strong></p>",
        f'<p class="dim">{_text(watched_words(report))}</p>',
    ]
    if report.needs:
        parts += ["<h2>Needs you</h2><ul>", *(f"<li>{_text(need(one, report))}</li>" for one in report.needs), "</ul>"]
    parts.append("<h2>The agents</h2>")
    parts += [_agent(agent, report) for agent in report.agents]
    parts += [f'<p class="dim">{_key()}</p>', "<h2>The team</h2>", _table((), report.team.lines)]
    if report.team.tasks:
        parts += ["<h2>The tasks</h2>", _table(TASK_HEAD, [task_row(task) for task in report.team.tasks])]
    if rows := cost_rows(report):
        parts += ["<h2>What it cost</h2>", _table(COST_HEAD, rows)]
    return parts


def _agent(agent: AgentDay, report: DayReport) -> str:
    answers = "".join(
        f"<dt>{mark_of(answer)}</dt><dt>{_text(answer.question)}</dt><dd>{_text(answer.words)}</dd>"
        for answer in agent.answers
    )
    strips = "".join(_strip(agent.stays, day, report) for day in range(len(agent.strips)))
    return f"<section><h3>{_text(title_of(agent))}</h3>{strips}<dl>{answers}</dl></section>"


def _strip(stays: Sequence[Stay], place: int, report: DayReport) -> str:
    """Return one day as a picture: exact to the second, each part with its times as its title."""
    since, until = report.day_edges[place], report.day_edges[place + 1]
    scale = _WIDTH / (until - since)
    parts = []
    for stay in stays:
        begun, ended = max(stay.since_wall, since), min(stay.until_wall, until)
        if begun >= ended:
            continue
        times = f"{report.local(begun):%H:%M} to {report.local(ended):%H:%M}: {stay.presence}, {span(ended - begun)}"
        why = f" ({clean_line(stay.why, 200)})" if stay.why else ""
        parts.append(
            f'<rect class="{_CLASSES[stay.presence]}" x="{(begun - since) * scale:.2f}" y="0"'
            f' width="{max(0.8, (ended - begun) * scale):.2f}" height="14"><title>{_text(times + why)}</title></rect>'
        )
    marks = []
    wall = since
    while wall < until:
        marks.append(f'<text x="{(wall - since) * scale:.1f}" y="24">{report.local(wall):%H:%M}</text>')
        wall += 6 * SLOT_S
    day = report.days[place].isoformat()
    return f'<svg viewBox="0 0 {_WIDTH:.0f} 26" role="img" aria-label="{day}">{"".join(parts)}{"".join(marks)}</svg>'


def _key() -> str:
    return "".join(
        f'<span class="key"><svg viewBox="0 0 10 5"><rect class="{_CLASSES[presence]}"'
        f' width="10" height="5"/></svg></span>{presence}'
        for presence in Presence
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = f"<tr>{''.join(f'<th>{_text(cell)}</th>' for cell in head)}</tr>" if head else ""
    cells = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{top}{cells}</table>"


def _text(text: str) -> str:
    return escape(clean_line(text, 2000))
