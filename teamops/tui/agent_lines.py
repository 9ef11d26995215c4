"""An agent in lines: who it is, what is known of it and why, its last hour by the minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from teamops.model.agent import AgentState, AgentView, Evidence, EvidenceKind
from teamops.model.agent_report import AgentReport
from teamops.tui import boundary_words, words
from teamops.tui.agent_words import moment, started
from teamops.tui.costs import cycle_words
from teamops.tui.spike_lines import present_lines
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

LABEL: Final = 12
"""Cells for what a line is about."""
MINUTES: Final = 60
TENTH: Final = 10
"""Minutes that are summed up in one row under the strips."""


def head_lines(agent: AgentView, palette: Palette) -> list[Line]:
    """Return who it is, what it does and by what that is known, where it runs: what every part stands under."""
    symbol, style = words.STATES[agent.state]
    head = Line(hang=2).add("▶ " if agent.lights else "  ", palette.accent)
    head.add(f"{agent.role} {agent.name}", palette.strong)
    head.add(f"   {symbol} {words.state_words(agent)}", palette.named(style))
    if agent.lights:
        tasks = ", ".join(task or "a task without a name" for task in agent.lights)
        head.add("   its turn on ", palette.faint).add(tasks, palette.accent)
    why = Line(hang=4)
    if agent.evidence.kind is EvidenceKind.NOTHING:
        why.add("  nothing is known of it", palette.dim)
    else:
        why.add("  known by ", palette.faint).put(_evidence(agent.evidence, palette))
    where = Line(hang=4).add("  runs ", palette.faint).add(agent.client or "?", palette.text)
    where.add(" in ", palette.faint).add(agent.session or "no session", palette.text)
    where.add(f" {agent.pane_id}" if agent.pane_id else "", palette.dim)
    where.add("  pid ", palette.faint).add(str(agent.pid or words.NOTHING), palette.text)
    where.add("  rss ", palette.faint).add(words.size(agent.rss_bytes), palette.text)
    where.add("  today ", palette.faint).add(words.money(agent.cost_today_usd, agent.unpriced_tokens), palette.text)
    where.add("  ↻ ", palette.faint).add(str(agent.restarts), palette.warn if agent.restarts else palette.text)
    return [head, why, where, *present_lines(agent, palette)]


def _evidence(known: Evidence, palette: Palette) -> Line:
    line = Line().add(known.kind.value, palette.text)
    if known.age_s is not None:
        line.add(f", {words.age(known.age_s)} ago", palette.text)
    return line.add(f": {known.detail}" if known.detail else "", palette.dim)


def about(label: str, text: str, style: object, palette: Palette) -> Line:
    """Return one fact: what it is about, and what there is to say."""
    line = Line(hang=LABEL).add(label, palette.faint, LABEL)
    return line.add(text, palette.named(style) if isinstance(style, str) else palette.text)


def overview_lines(
    agent: AgentView, report: AgentReport | None, now: float, width: int, palette: Palette
) -> list[Line]:
    """Return all that is known of an agent now and what teamops does about it. ``now``: Unix seconds."""
    lines = evidence_lines(agent, palette)
    facts: list[tuple[str, str, str]] = []
    if agent.message:
        facts.append(("last said", f"“{agent.message}”", "text"))
    facts.append(("last error", agent.last_error or "none told", "bad" if agent.last_error else "dim"))
    if agent.cycle is not None:
        facts.append(("a cycle", f"cost {cycle_words(agent.cycle)}", "text"))
    if report is None:
        facts.append(("teamops", "looking at what is remembered…", "dim"))
    else:
        facts.append(_doing(agent, report))
    facts += _boundary(agent, now)
    until = agent.backing_off_until_wall
    if until is not None:
        facts.append(("restart", f"no sooner than {moment(until, now)}, in {words.age(until - now)}", "warn"))
    lines += [Line(), *(about(label, text, style, palette) for label, text, style in facts)]
    lines += [Line(), *memory_lines(agent, report, width, palette)]
    if report is not None:
        lines += [Line(), *launch_lines(agent, report, now, palette)]
    if agent.unpriced_tokens:
        unpriced = f"{words.count(agent.unpriced_tokens)} tokens of today have no known price"
        lines.append(Line(hang=LABEL).add("cost", palette.faint, LABEL).add("? ", palette.warn).add(unpriced))
    return lines


def _boundary(agent: AgentView, now: float) -> list[tuple[str, str, str]]:
    """Return what it may write, what holds it to that, and what was refused."""
    boundary = agent.boundary
    if boundary is None:
        return []
    last = boundary.last_blocked
    often = f"{words.number_of(boundary.blocked, 'call')} today" if boundary.blocked else "nothing today"
    told = "" if last is None else f"; last {moment(last.wall, now)}: {boundary_words.act(last)}"
    return [
        ("boundary", boundary_words.policy(boundary), "text"),
        ("held by", *boundary_words.held_by(agent, boundary)),
        ("refused", often + told, "warn" if boundary.blocked else "dim"),
    ]


def evidence_lines(agent: AgentView, palette: Palette) -> list[Line]:
    """Return all evidence, best first; ▸ marks what the state rests on."""
    basis = agent.basis
    rows = [(one, place == basis) for place, one in enumerate(agent.evidences)]
    if basis is None and agent.evidence.kind is not EvidenceKind.NOTHING:
        rows.insert(0, (agent.evidence, True))
    lines = [Line(hang=2).add("Evidence", palette.accent).add("  best first; the state rests on ▸", palette.dim)]
    for known, rests in rows:
        line = Line(hang=21).add("▸ " if rests else "  ", palette.accent)
        line.add(known.kind.value, palette.strong if rests else palette.text, 12)
        line.add(words.age(known.age_s), palette.text if rests else palette.dim, 5, "right").add("  ")
        lines.append(line.add(known.detail or "seen", palette.text if rests else palette.dim))
    if not rows:
        lines.append(Line(hang=2).add("  Nothing is known of it. ", palette.text).add(_next(agent), palette.dim))
    return lines


def _next(agent: AgentView) -> str:
    if agent.lift:
        return "It is held: L lets it spend again."
    return "r starts it." if agent.can_restart else f"Name its session in teamops.toml, or beat: {beat_command(agent)}"


def beat_command(agent: AgentView) -> str:
    """Return what an agent's own loop runs to show that it lives."""
    return f"TEAMOPS_ROLE={agent.role} teamops beat"


def _doing(agent: AgentView, report: AgentReport) -> tuple[str, str, str]:
    said = report.keeping or agent.held
    if agent.lift:
        own = f"{report.keeping}; " if report.keeping else ""
        return "teamops", f"{own}holds it back: {agent.held}; L lets it spend again", "warn"
    if not report.past and agent.state in (AgentState.HELD, AgentState.GIVEN_UP):
        return "teamops", f"{said or agent.state.value}; r clears that", "warn"
    if said:
        return "teamops", said, "warn"
    return "teamops", "not on record" if report.past else "holds nothing back, restarts nothing", "dim"


def memory_lines(agent: AgentView, report: AgentReport | None, width: int, palette: Palette) -> list[Line]:
    """Return what its process tree uses, how that went, and how it goes on."""
    note = (report.memory_note if report is not None else "") or agent.memory_note
    line = Line(hang=LABEL).add("memory", palette.faint, LABEL).add(words.size(agent.rss_bytes), palette.text)
    line.add(f"  ▲ {note}" if note else "", palette.warn)
    samples = report.memory if report is not None else ()
    if len(samples) < 2:
        return [line]
    sizes = [size for _, size in samples]
    span = samples[-1][0] - samples[0][0]
    told = f"  {words.size(min(sizes))} to {words.size(max(sizes))} in {words.age(span)}"
    room = max(8, min(MINUTES, width - LABEL - len(told) - 1))
    strip = (
        Line().add("", palette.faint, LABEL).add(words.spark(sizes, min(room, len(sizes)), peak=True), palette.tokens)
    )
    return [line, strip.add(told, palette.dim)]


def launch_lines(agent: AgentView, report: AgentReport, now: float, palette: Palette) -> list[Line]:
    """Return how its process came about, and its client's session."""
    launch = report.launch
    if launch is None:
        how = "not on record" if report.past else "not seen: teamops did not start it"
        return [about("started", how, "dim", palette)]
    session = launch.client_session or "not known"
    return [
        about("started", started(launch, now, agent.pid), "text", palette),
        about("its session", session, "text" if launch.client_session else "dim", palette),
    ]


# The last hour.


def hour_lines(agent: AgentView, now: float, width: int, palette: Palette) -> list[Line]:
    """Return the last hour by the minute, with the minutes named, and its sums. ``now``: Unix seconds."""
    if not (any(agent.beats) or any(agent.tokens) or any(agent.cost)):
        return [
            Line().add("No sign of life in the last hour.", palette.text),
            Line(hang=2).add("  Its client's hooks make them, or in a loop of its own: ", palette.dim)
            .add(beat_command(agent), palette.code),
        ]  # fmt: skip
    room = max(12, min(width - LABEL, MINUTES))
    wide = (width - LABEL) // MINUTES if room == MINUTES else 1
    first = int(now // 60) - MINUTES + 1
    lines = []
    for title, strip, style in (
        ("beats", words.spark(agent.beats, room, peak=True), palette.beats),
        ("tokens", words.spark(agent.tokens, room), palette.tokens),
        ("cost so far", words.climb(agent.cost, room), palette.cost),
    ):
        lines.append(Line().add(title, palette.faint, LABEL).add("".join(sign * wide for sign in strip), style))
    rule, names = axis(first, room * wide)
    lines += [Line().add("", None, LABEL).add(text, palette.dim) for text in (rule, names)]
    lines += [Line(), _signs(agent.beats, first, palette), Line(), *_tenths(agent, first, palette)]
    beat = f"{words.age(agent.beat_age_s)} ago" if agent.beat_age_s is not None else agent.last_beat
    rate = f"{words.count(agent.tokens_per_min)} tokens in the last minute"
    lines.append(Line(hang=2).add(f"  last beat {beat}; {rate}", palette.dim))
    return lines


def _clock(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60).astimezone()


def axis(first: int, room: int) -> tuple[str, str]:
    """Return a rule with marks and the times under them. ``first``: the first of 60 minutes since the epoch."""
    step = next((minutes for minutes in (10, 15, 20) if minutes * room // MINUTES >= 7), 30)
    rule, names = ["─"] * room, [" "] * room
    for place in range(MINUTES):
        at = _clock(first + place)
        column = place * room // MINUTES
        if at.minute % step == 0 and column + 5 <= room:
            rule[column] = "┬"
            names[column : column + 5] = at.strftime("%H:%M")
    return "".join(rule), "".join(names)


def _signs(beats: Sequence[int], first: int, palette: Palette) -> Line:
    seen = sum(1 for number in beats if number)
    line = Line(hang=2).add(f"  {seen} of {len(beats)} minutes have a sign of life", palette.text)
    longest, begin, run = 0, 0, 0
    for place, number in enumerate(beats):
        run = 0 if number else run + 1
        if run > longest:
            longest, begin = run, place - run + 1
    if longest > 1:
        since, until = (_clock(first + place).strftime("%H:%M") for place in (begin, begin + longest))
        line.add(f"; the longest without: {longest} min, {since} to {until}", palette.text)
    return line


def _tenths(agent: AgentView, first: int, palette: Palette) -> list[Line]:
    def row(title: str, cells: tuple[str, str, str], style: object) -> Line:
        line = Line().add(title, palette.faint, LABEL)
        for cell in cells:
            line.add(cell, palette.named(style) if isinstance(style, str) else None, 9, "right")
        return line

    lines = [row("  from", ("beats", "tokens", "cost"), "faint")]
    for start in range(0, MINUTES, TENTH):
        own = slice(start, start + TENTH)
        beats, tokens = sum(agent.beats[own]), sum(agent.tokens[own])
        cost = words.money(Decimal(str(round(sum(agent.cost[own]), 4))))
        told = str(beats) if beats else words.GAP, words.count(tokens) if tokens else words.GAP, cost
        lines.append(row(f"  {_clock(first + start):%H:%M}", told, "text" if beats or tokens else "dim"))
    return lines
