"""Windows with one thing of an agent's memory in full: a poke, a restart, a runaway."""

from __future__ import annotations

from collections.abc import Sequence

from teamops.model.agent_report import Delivery, RestartRecord, SpikeRecord
from teamops.tui import agent_words, spike_lines, words
from teamops.tui.agent_lines import about
from teamops.tui.agent_words import moment
from teamops.tui.screens.reading import ReadingWindow
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

MOST_LINES = 200
"""Of a last screen."""


def poke_window(poke: Delivery, now: float, palette: Palette) -> ReadingWindow:
    """Return a window with each step of a poke, its proof and its whole text."""
    symbol, style = agent_words.STAGES[poke.stage]
    lines = [
        Line()
        .add(f"{symbol} {poke.stage.value}", palette.named(style))
        .add(f"  {agent_words.BY[poke.by]}", palette.dim),
        Line(),
        about("decided", moment(poke.decided_wall, now), "text", palette),
    ]
    for label, wall in (("typed", poke.typed_wall), ("accepted", poke.accepted_wall), ("working", poke.working_wall)):
        told = "not so far" if wall is None else moment(wall, now)
        since = "" if wall is None else f"  {agent_words.after(poke.decided_wall, wall)}"
        lines.append(about(label, f"{told}{since}", "dim" if wall is None else "text", palette))
    lines.append(about("proof", poke.proof_words, "bad" if poke.refused else "text", palette))
    if poke.light:
        lines.append(about("about", f"{poke.light}, line {poke.attempt} about it", "text", palette))
    lines += [Line(), Line().add(poke.text or words.NOTHING, palette.text)]
    return ReadingWindow("Poke", lines, palette)


def restart_window(record: RestartRecord, of: int, now: float, palette: Palette) -> ReadingWindow:
    """Return a window with a restart's cause, outcome, what was found before it, and the last screen."""
    symbol, style = agent_words.outcome(record)
    head = (
        Line().add(f"{symbol} {record.outcome}", palette.named(style)).add(f"  {moment(record.wall, now)}", palette.dim)
    )
    lines = [
        head.add(f"  {agent_words.BY[record.by]}, {record.attempt_words(of)}", palette.dim),
        Line(),
        about("cause", record.cause or words.NOTHING, "text", palette),
        about("before", record.ending or words.NOTHING, "text", palette),
        about("after", record.message or words.NOTHING, "text", palette),
        about("session", f"{record.session} was resumed" if record.session else "a fresh one", "text", palette),
        Line(),
        Line().add("Found before it", palette.accent),
    ]
    lines += [Line(hang=4).add("  · ", palette.faint).add(note, palette.text) for note in record.notes]
    if not record.notes:
        lines.append(Line().add("  Nothing out of order.", palette.dim))
    lines += [Line(), Line().add("Its last screen", palette.accent)]
    shown = record.screen.rstrip().split("\n") if record.screen.strip() else []
    lines += [Line(hang=4).add("  │ ", palette.faint).add(line, palette.dim) for line in shown[-MOST_LINES:]]
    if not shown:
        lines.append(Line().add("  None was kept: there was nothing on it, or no pane.", palette.dim))
    return ReadingWindow("Restart", lines, palette)


def spike_window(record: SpikeRecord, now: float, palette: Palette, plot: Sequence[Line] = ()) -> ReadingWindow:
    """Return a window with a spike's figures and its course; ``plot``: that course, drawn already."""
    symbol, style, lasted = spike_lines.standing(record, now)
    usual = "nothing was usual yet" if record.usual is None else f"{record.usual:,} tokens/min"
    lines = [
        Line().add(f"{symbol} {lasted}", palette.named(style)).add(f"  {record.why}", palette.text),
        Line(),
        about("began", moment(record.began_wall, now), "text", palette),
        about("ended", "not so far" if record.ended_wall is None else moment(record.ended_wall, now), "text", palette),
        about("peak", f"{record.peak:,} tokens/min, of input and output", "text", palette),
        about("usual", usual, "text", palette),
        about("limit", f"{record.threshold:,} tokens/min", "text", palette),
        about("used in it", f"{record.tokens:,} tokens, {words.money(record.cost_usd)}", "text", palette),
        Line(),
        Line().add("Its course, and the ten minutes before it", palette.accent),
    ]
    if plot and record.trace:
        lines += plot
    elif record.trace:
        lines += spike_lines.course_lines(record, now, spike_lines.WIDEST, palette)
    else:
        lines.append(Line().add("  None is on record.", palette.dim))
    return ReadingWindow("Runaway", lines, palette)
