"""A day's report for a person at a terminal: 80 columns, no colour needed."""

from __future__ import annotations

from collections.abc import Sequence

from teamops.model.day_report import MARKS, AgentDay, Answer, DayReport, Episode, Strip, TaskDay
from teamops.model.handoff import Severity
from teamops.model.spend import Spend
from teamops.model.text import clean_line
from teamops.report.spend import cost_text, tokens_text
from teamops.report.table import NOTHING, WIDTH, table, wrapped
from teamops.report.times import span

SEVERITIES = {Severity.INFO: "i", Severity.WARNING: "▲", Severity.ERROR: "✖", Severity.CRITICAL: "■"}
EMPTY = (
    "Nothing is on record of this time: no supervisor was at work, and no agent left a sign. "
    "teamops up starts the team, teamops watch supervises it; teamops report --date yesterday looks further back."
)
NO_TASK, NO_LIGHT = "no task", "without a light"
LEGEND = "  ".join(f"{mark} {presence}" for presence, mark in MARKS.items())
_SLOTS_OF_3_HOURS = 6


def day_text(report: DayReport, width: int = WIDTH) -> str:
    """Return the report as plain text."""
    lines = wrapped(head(report), width)
    if report.empty:
        return "\n".join([*lines, "", *wrapped(EMPTY, width)])
    lines += wrapped(report.summary, width)
    lines += wrapped(watched_words(report), width)
    if report.needs:
        lines += ["", "needs you"]
        for one in report.needs:
            lines += wrapped(need(one, report), width, "  ", "    ")
    for agent in report.agents:
        lines += ["", *_agent(agent, report, width)]
    if report.agents:
        lines += ["", *wrapped(f"a sign is half an hour: {LEGEND}", width)]
    lines += ["", "the team"]
    for what, words in report.team.lines:
        lines += wrapped(clean_line(words, 1000), width, f"  {what:<15} ", " " * 18)
    for made in (tasks_table(report, width), costs_table(report, width)):
        if made:
            lines += ["", made]
    return "\n".join(lines)


def head(report: DayReport) -> str:
    """Return what it is of: the project, the days, and up to when."""
    so_far = "" if report.over else f", so far: {report.local(report.until_wall):%H:%M}"
    return f"{clean_line(report.project, 60)}: report of {report.title} ({report.zone_words}{so_far})"


def watched_words(report: DayReport) -> str:
    """Return for how long teamops itself looked."""
    whole = report.until_wall - report.since_wall
    return f"teamops was at work for {span(report.watched_s)} of {span(whole)}"


def need(one: Episode, report: DayReport) -> str:
    """Return what needs a person, since when, and what to do."""
    do = f" → {clean_line(one.do, 300)}" if one.do else ""
    since = f"since {report.local(one.since_wall):%m-%d %H:%M}"
    return f"{SEVERITIES[one.severity]} {clean_line(one.message, 300)}, {since}{do}"


def title_of(agent: AgentDay) -> str:
    """Return who it is, and what it cost."""
    name = f" {clean_line(agent.name, 40)}" if agent.name else ""
    used = f"{cost_text(agent.spend)}, {tokens_text(agent.spend.tokens.total)} tokens"
    return f"{clean_line(agent.role, 40)}{name}: {used if agent.spend.responses else 'used nothing'}"


def mark_of(answer: Answer) -> str:
    """Return a sign for an answer: well, amiss, not known."""
    return "?" if answer.good is None else "✓" if answer.good else "▲"


def _agent(agent: AgentDay, report: DayReport, width: int) -> list[str]:
    lines = [title_of(agent), *strip_lines(agent.strips, several=len(report.days) > 1)]
    for answer in agent.answers:
        lines += wrapped(clean_line(answer.words, 1000), width, f"  {mark_of(answer)} {answer.question} ", "      ")
    return lines


def strip_lines(strips: Sequence[Strip], *, several: bool) -> list[str]:
    """Return the strips under a ruler of hours, with their days where there are several."""
    if not strips:
        return []
    lead = 8 if several else 2
    ruler = "".join(f"{hour:<{_SLOTS_OF_3_HOURS}}" for hour in strips[0].hours).rstrip()
    rows = [f"{f'  {strip.day:%m-%d} ' if several else '  '}{strip.text}" for strip in strips]
    return [" " * lead + ruler, *rows]


def tasks_table(report: DayReport, width: int) -> str:
    """Return the tasks that something happened to, or that are open."""
    rows = [task_row(task) for task in report.team.tasks]
    return table(TASK_HEAD, rows, width, (0, 2)) if rows else ""


TASK_HEAD = ("task", "tier", "stage", "blocks", "rounds", "challenges", "catches", "time")


def task_row(task: TaskDay) -> tuple[str, ...]:
    """Return a task's figures."""
    stands = f"closed, {task.standing}" if not task.open else f"{task.stage}"
    return (
        clean_line(task.task or "", 60) or NO_TASK,
        NOTHING if task.tier is None else str(task.tier),
        stands,
        *(str(count) for count in (task.blocks, task.rounds, task.challenges, task.catches)),
        span(sum(stay.seconds for stay in task.stages)),
    )


COST_HEAD = ("cost per task", "cost", "tokens", "responses")


def cost_rows(report: DayReport) -> list[tuple[str, ...]]:
    """Return what was used under each task's lights, under none, and in all."""
    rows = [(_cost_name(name), *_figures(spend)) for name, spend in report.team.costs]
    return [*rows, ("in all", *_figures(report.team.spend))] if rows else []


def costs_table(report: DayReport, width: int) -> str:
    """Return the costs per task as a table."""
    rows = cost_rows(report)
    return table(COST_HEAD, rows, width, (0,)) if rows else ""


def _cost_name(name: str | None) -> str:
    return NO_LIGHT if name is None else clean_line(name, 60) or NO_TASK


def _figures(spend: Spend) -> tuple[str, ...]:
    return cost_text(spend), tokens_text(spend.tokens.total), str(spend.responses)
