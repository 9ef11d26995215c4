"""A task's whole chain as lines to read: design, reviews with challenges and answers, gates, changes, sign-offs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from teamops.model.handoff import GATES, Block, Point
from teamops.model.protocol import DiffStat, GateRun, TaskReport, TimelineEntry
from teamops.model.role import DIRECTOR
from teamops.tui import words
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

MOST_FILES = 200
"""Changed files that are listed; the rest is counted."""
BAR = 12
"""Cells for the bar of a file's changes."""


def when(wall: float, now: float | None = None) -> str:
    """Return a moment for a person; without its day where that is ``now``'s. ``—`` where it is not known."""
    if not wall:
        return words.NOTHING
    at = datetime.fromtimestamp(wall).astimezone()
    today = now is not None and datetime.fromtimestamp(now).astimezone().date() == at.date()
    return at.strftime("%H:%M" if today else "%m-%d %H:%M")


def heading(text: str, palette: Palette, note: str = "") -> list[Line]:
    """Return a section's heading, a blank line above it."""
    return [Line(), Line(hang=2).add(text, palette.accent).add(f"  {note}" if note else "", palette.dim)]


def chain_lines(report: TaskReport, blocks: Sequence[Block], now: float, palette: Palette) -> list[Line]:
    """Return the whole chain in the order in which it came about."""
    lines = story_lines(report, blocks, now, palette)
    lines += gate_lines(report, now, palette)
    lines += finding_lines(report, palette)
    lines += diff_lines(report, palette)
    return lines + approval_lines(report, now, palette)


def story_lines(report: TaskReport, blocks: Sequence[Block], now: float, palette: Palette) -> list[Line]:
    """Return design, reviews, building and confirmations, each with what was challenged, answered and claimed."""
    told = [(entry, _block(entry, blocks)) for entry in report.entries]
    lines = heading("Chain", palette, f"{words.number_of(len(told), 'block')}, oldest first")
    if not told:
        lines.append(Line().add("  Nobody has written a block of it yet.", palette.dim))
    for place, (entry, block) in enumerate(told):
        lines.append(_entry_line(entry, now, palette))
        if block is None:
            continue
        if block.challenges is not None:
            later = [one for _, one in told[place + 1 :] if one is not None]
            lines += _challenge_lines(block, later, palette)
        for gate in block.checks:
            symbol, style = words.GATE_RESULTS[gate.result]
            line = Line(hang=15).add(f"    {symbol} {gate.name:<8} ", palette.named(style))
            lines.append(line.add(gate.evidence or "no evidence", palette.text if gate.evidence else palette.warn))
    return lines


def _block(entry: TimelineEntry, blocks: Sequence[Block]) -> Block | None:
    """Return the entry's block; ``None`` where the file has another one in its place by now."""
    block = blocks[entry.index] if 0 <= entry.index < len(blocks) else None
    return block if block is not None and block.digest == entry.digest else None


def _entry_line(entry: TimelineEntry, now: float, palette: Palette) -> Line:
    bad = bool(entry.findings)
    line = Line(hang=4).add("  ✖ " if bad else "  ● ", palette.bad if bad else palette.ok)
    line.add(entry.stage.value, palette.strong, 14).add(when(entry.wall, now), palette.faint).add("  ")
    line.add(entry.role, palette.strong).add(f" → {entry.turn}" if entry.turn else "", palette.text)
    if entry.verdict:
        line.add(f"  {entry.verdict}", palette.info)
    elif entry.status:
        line.add(f"  {entry.status}", palette.dim)
    return line.add(f"  {', '.join(entry.findings)}" if bad else "", palette.bad)


def _challenge_lines(block: Block, later: Sequence[Block], palette: Palette) -> list[Line]:
    challenges = block.challenges
    if challenges is None:
        return []
    if not challenges.points:
        reason = challenges.none or "no reason given"
        return [Line(hang=6).add("    no challenge: ", palette.dim).add(reason, palette.text)]
    lines = []
    for point in challenges.points:
        lines.append(Line(hang=7).add(f"    {point.number}. ", palette.warn).add(point.text, palette.text))
        answerer, answer = answer_to(point, later)
        if answer is not None:
            line = Line(hang=9).add("       → ", palette.ok).add(f"{answerer}: ", palette.dim)
            lines.append(line.add(answer.text, palette.text))
        elif answerer is not None:
            lines.append(Line(hang=9).add("       ↻ asked again in a later review", palette.dim))
        else:
            lines.append(Line(hang=9).add("       ○ not answered yet", palette.bad))
    return lines


def answer_to(point: Point, later: Sequence[Block]) -> tuple[str | None, Point | None]:
    """Return who answered a challenge, and with what, in the blocks after it.

    The DIRECTOR's answer counts; an implementer's is shown until that comes. ``(role, None)``: it was asked again
    under the same number, so that an answer is one to the later point. ``(None, None)``: nobody has.
    """
    first: tuple[str, Point] | None = None
    for block in later:
        answer = next((one for one in block.responses if one.number == point.number), None)
        if answer is not None and block.role == DIRECTOR:
            return block.role, answer
        if answer is not None and first is None:
            first = block.role, answer
        if block.challenges and any(one.number == point.number for one in block.challenges.points):
            return first or (block.role, None)
    return first or (None, None)


def gate_lines(report: TaskReport, now: float, palette: Palette) -> list[Line]:
    """Return each gate as it is claimed for the work as it is now, and as teamops ran it last."""
    symbol, style = words.STANDINGS[report.task.standing]
    lines = heading("Gates", palette)
    lines[-1].add("  ").add(f"{symbol} {report.task.standing.value}", palette.named(style))
    claims = {gate.name: gate for gate in report.task.gates}
    runs = {run.gate: run for run in report.runs}
    for name in dict.fromkeys((*GATES, *claims, *runs)):
        line = Line(hang=12).add(f"  {name:<9} ", palette.strong)
        claim, run = claims.get(name), runs.get(name)
        if claim is None:
            line.add("○ not claimed", palette.dim)
        else:
            mark, how = words.GATE_RESULTS[claim.result]
            line.add(f"{mark} claimed {claim.result.value}", palette.named(how))
            line.add(f" ({claim.evidence})" if claim.evidence else ", no evidence", palette.dim)
        lines.append(line)
        lines.append(_run_line(run, report.tree, now, palette))
    return lines


def _run_line(run: GateRun | None, tree: str, now: float, palette: Palette) -> Line:
    line = Line(hang=14).add("            ")
    if run is None:
        return line.add("○ not run by teamops", palette.faint)
    mark, style = ("✓ ran well", palette.ok) if run.ok else ("✖ failed", palette.bad)
    line.add(mark, style).add(f" {when(run.started_wall, now)}, {words.age(run.seconds)}", palette.dim)
    if run.exit_status:
        line.add(f", exit {run.exit_status}", palette.bad)
    line.add(f"  {run.command}", palette.code)
    if tree and run.tree != tree:
        line.add("  ▲ out of date: the files have changed since", palette.warn)
    return line


def finding_lines(report: TaskReport, palette: Palette) -> list[Line]:
    """Return the task's findings, each with how to mend it."""
    number = len(report.findings)
    lines = heading("Findings", palette, words.number_of(number, "finding") if number else "")
    if not number:
        return [*lines, Line().add("  ✓ It keeps the protocol.", palette.ok)]
    for finding in report.findings:
        symbol, style = words.SEVERITIES[finding.severity]
        line = Line(hang=4).add(f"  {symbol} {finding.code}", palette.named(style))
        lines.append(line.add(f"  line {finding.line}  ", palette.dim).add(finding.message, palette.text))
        if finding.hint:
            lines.append(Line(hang=6).add("    → ", palette.accent).add(finding.hint, palette.dim))
    return lines


def diff_lines(report: TaskReport, palette: Palette) -> list[Line]:
    """Return what changed in the work tree since the task began."""
    diff = report.diff
    if diff is None:
        why = report.diff_trouble or "It is not known what changed."
        return [*heading("What changed", palette), Line(hang=2).add(f"  ~ {why}", palette.warn)]
    lines = heading("What changed", palette, diff_words(diff))
    if not diff.files:
        lines.append(Line().add("  No file differs.", palette.dim))
    files = sorted(diff.files, key=lambda one: -(one.added + one.removed))
    most = max((one.added + one.removed for one in files), default=1) or 1
    for one in files[:MOST_FILES]:
        full = round((one.added + one.removed) / most * BAR) or 1
        share = one.added / (one.added + one.removed or 1)
        plus = round(full * share)
        line = Line(hang=31).add(f"  {f'+{one.added}':>7}", palette.ok).add(f" {f'-{one.removed}':>7}", palette.bad)
        line.add("  ").add("+" * plus, palette.ok).add("-" * (full - plus), palette.bad)
        lines.append(line.to(19 + BAR).add(" ").add(one.path, palette.text))
    if len(files) > MOST_FILES:
        lines.append(Line().add(f"  … and {len(files) - MOST_FILES} more files", palette.dim))
    return lines


def diff_words(diff: DiffStat) -> str:
    """Return a difference in one line: files, lines, commits, since when."""
    added, removed = sum(one.added for one in diff.files), sum(one.removed for one in diff.files)
    commits = f", {words.number_of(diff.commits, 'commit')}" if diff.commits else ", no commit"
    return f"{words.number_of(len(diff.files), 'file')}, +{added} -{removed}{commits}, since {diff.base[:9]}"


def approval_lines(report: TaskReport, now: float, palette: Palette) -> list[Line]:
    """Return who signed off or sent back, when, with what note."""
    lines = heading("Sign-offs", palette)
    if not report.approvals:
        return [*lines, Line().add("  Nobody has signed anything yet.", palette.dim)]
    for approval in report.approvals:
        style = palette.warn if approval.verdict == "sent back" else palette.ok
        line = Line(hang=4).add(f"  ◆ {approval.verdict}", style)
        line.add(f"  {approval.approver}", palette.strong).add(f"  {when(approval.wall, now)}", palette.dim)
        lines.append(line.add(f"  {approval.note}" if approval.note else "", palette.text))
    return lines
