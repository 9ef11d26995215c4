"""A day's report as lines of cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rich.style import Style

from teamops.model.day_report import MARKS, AgentDay, Answer, DayReport, Presence, Strip, TaskDay
from teamops.tui import words
from teamops.tui.costs import cost
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

NOTHING: Final = (
    "Nothing is on record of this day: no supervisor was at work, and no agent left a sign.",
    "u starts an agent; [ and ] go to other days.",
)
_STYLES: Mapping[Presence, str] = {
    Presence.ALIVE: "ok",
    Presence.UNWELL: "warn",
    Presence.DOWN: "bad",
    Presence.HELD: "human",
    Presence.OFF: "faint",
    Presence.UNSEEN: "dim",
}
_SLOTS_APART: Final = 6
_LABEL: Final = 17


def head_lines(report: DayReport, palette: Palette) -> list[Line]:
    """Return which days it is of, and all of it in one line."""
    top = (
        Line()
        .add("Report ", palette.accent)
        .add(report.title, palette.strong)
        .add(f"  {report.zone_words}", palette.dim)
    )
    if not report.over:
        top.add(f"  so far: {report.local(report.until_wall):%H:%M}", palette.warn)
    if report.empty:
        return [top]
    return [top, Line(hang=2).add(f"  {report.summary}", palette.text)]


def body_lines(report: DayReport, palette: Palette) -> list[Line]:
    """Return the report itself."""
    if report.empty:
        return [Line().add(text, palette.dim) for text in NOTHING]
    lines = _needs(report, palette)
    for agent in report.agents:
        lines += [*_agent(agent, report, palette), Line()]
    lines += [_legend(palette), Line(), Line().add("The team", palette.accent)]
    for what, said in report.team.lines:
        lines.append(Line(hang=_LABEL + 2).add(f"  {what}", palette.dim, _LABEL + 2).add(said, palette.text))
    lines += _tasks(report, palette)
    return [*lines, *_costs(report, palette)]


def _needs(report: DayReport, palette: Palette) -> list[Line]:
    if not report.needs:
        return []
    lines = [Line().add("Needs you", palette.accent)]
    for one in report.needs:
        symbol, style = words.SEVERITIES[one.severity]
        line = Line(hang=4).add(f"  {symbol} ", palette.named(style)).add(one.message, palette.text)
        line.add(f", since {report.local(one.since_wall):%m-%d %H:%M}", palette.dim)
        lines.append(line.add(f" → {one.do}", palette.accent) if one.do else line)
    return [*lines, Line()]


def _agent(agent: AgentDay, report: DayReport, palette: Palette) -> list[Line]:
    title = Line().add(agent.role, palette.strong).add(f" {agent.name}" if agent.name else "", palette.dim)
    title.add(f"  {cost(agent.spend)}", palette.text)
    lines = [title, *_strips(agent.strips, palette, several=len(report.days) > 1)]
    return [*lines, *(_answer(answer, palette) for answer in agent.answers)]


def _answer(answer: Answer, palette: Palette) -> Line:
    mark, style = _mark(answer, palette)
    line = Line(hang=6).add(f"  {mark} ", style).add(f"{answer.question} ", palette.dim)
    return line.add(answer.words, palette.text)


def _mark(answer: Answer, palette: Palette) -> tuple[str, Style]:
    if answer.good is None:
        return "?", palette.dim
    return ("✓", palette.ok) if answer.good else ("▲", palette.warn)


def _strips(strips: tuple[Strip, ...], palette: Palette, *, several: bool) -> list[Line]:
    if not strips:
        return []
    ruler = Line().to(8 if several else 2)
    for hour in strips[0].hours:
        ruler.add(str(hour), palette.faint, _SLOTS_APART)
    lines = [ruler]
    for strip in strips:
        line = Line().add(f"  {strip.day:%m-%d} " if several else "  ", palette.dim)
        for slot in strip.slots:
            line.add(MARKS[slot], palette.named(_STYLES[slot]))
        lines.append(line)
    return lines


def _legend(palette: Palette) -> Line:
    line = Line().add("A sign is half an hour:", palette.faint)
    for presence, style in _STYLES.items():
        line.add(f"  {MARKS[presence]} ", palette.named(style)).add(str(presence), palette.dim)
    return line


def _tasks(report: DayReport, palette: Palette) -> list[Line]:
    if not report.team.tasks:
        return []
    lines = [Line(), Line().add("Tasks", palette.accent)]
    return [*lines, *(_task(task, palette) for task in report.team.tasks)]


def _task(task: TaskDay, palette: Palette) -> Line:
    stands = str(task.stage) if task.open else f"closed, {task.standing}"
    line = Line(hang=4).add(f"  {task.task or 'no task'}", palette.strong)
    line.add(f"  tier {task.tier}" if task.tier is not None else "", palette.dim).add(f"  {stands}", palette.text)
    counts = (
        (task.blocks, "block", "blocks"),
        (task.rounds, "round", "rounds"),
        (task.challenges, "challenge", "challenges"),
        (task.catches, "catch", "catches"),
    )
    told = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    return line.add(f"  {', '.join(told)}" if told else "", palette.dim)


def _costs(report: DayReport, palette: Palette) -> list[Line]:
    if not report.team.costs:
        return []
    lines = [Line(), Line().add("Cost per task", palette.accent)]
    for name, spend in (*report.team.costs, ("in all", report.team.spend)):
        shown = "without a light" if name is None else name or "no task"
        line = Line().add(f"  {shown}", palette.text, 46).add(cost(spend), palette.strong, 10, "right")
        lines.append(line.add(f"  {words.count(spend.tokens.total)} tokens", palette.dim))
    return lines
