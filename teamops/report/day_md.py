"""A day's report as Markdown: what is written to ``reports/`` each midnight."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from teamops.model.day_report import AgentDay, DayReport
from teamops.model.text import clean_line
from teamops.report.day_text import (
    COST_HEAD,
    EMPTY,
    LEGEND,
    TASK_HEAD,
    cost_rows,
    head,
    mark_of,
    need,
    strip_lines,
    task_row,
    title_of,
    watched_words,
)

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def day_md(report: DayReport) -> str:
    """Return the report as Markdown. No text from outside is markup in it."""
    lines = [f"# {_plain(head(report))}", ""]
    if report.empty:
        return "\n".join([*lines, _plain(EMPTY), ""])
    lines += [f"**{_plain(report.summary)}**", "", f"{_plain(watched_words(report))}.", ""]
    if report.needs:
        lines += ["## Needs you", "", *(f"- {_plain(need(one, report))}" for one in report.needs), ""]
    lines += ["## The agents", ""]
    for agent in report.agents:
        lines += _agent(agent, several=len(report.days) > 1)
    lines += [f"A sign is half an hour: {_plain(LEGEND)}", "", "## The team", ""]
    lines += _table(("what", "how much"), report.team.lines)
    if report.team.tasks:
        lines += ["## The tasks", "", *_table(TASK_HEAD, [task_row(task) for task in report.team.tasks])]
    if rows := cost_rows(report):
        lines += ["## What it cost", "", *_table(COST_HEAD, rows)]
    return "\n".join(lines)


def _agent(agent: AgentDay, *, several: bool) -> list[str]:
    lines = [f"### {_plain(title_of(agent))}", ""]
    # Indented, so that no renderer makes anything but a fixed pitch of it.
    lines += [*(f"    {line}" for line in strip_lines(agent.strips, several=several)), ""]
    lines += [f"- {mark_of(answer)} **{_plain(answer.question)}** {_plain(answer.words)}" for answer in agent.answers]
    return [*lines, ""]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(map(_plain, head))} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(map(_plain, row))} |" for row in rows), ""]


def _plain(text: str) -> str:
    """Return text on one line, in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", clean_line(text, 2000))
