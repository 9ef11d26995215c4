"""A task's whole chain as lines to read: design, reviews with challenges and answers, gates, changes, sign-offs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from teamops.model.errors import TeamopsError
from teamops.model.handoff import GATES, Block, Point
from teamops.model.protocol import DiffStat, GateRun, TaskReport, TimelineEntry
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE, Role
from teamops.model.snapshot import SupervisorPort
from teamops.model.spend import Spend
from teamops.tui import words
from teamops.tui.block_text import draw_block
from teamops.tui.costs import cost
from teamops.tui.strips import Line
from teamops.tui.theme import Palette

MOST_DESIGN = 60
"""Lines of the design that are shown; the rest is said to be there."""
DESIGN_WIDTH = 100
"""Wider lines are hard to read."""
MOST_BLOCKS = 500
"""The last so many of a chain are told."""
MOST_FILES = 200
"""Changed files that are listed; the rest is counted."""
BAR = 12
"""Cells for the bar of a file's changes."""


@dataclass(frozen=True, slots=True)
class Told:
    """A task's report, and the block with which its design was first handed on."""

    report: TaskReport
    design: Block | None
    text: str
    """The design's Markdown; empty where it can't be read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said to a challenge."""

    role: Role
    """Who said it."""
    point: Point | None
    """``None``: the challenge was put again under its number, and an answer is one to that."""


def tell(port: SupervisorPort, name: str | None) -> Told:
    """Ask the port for all there is to know of a task. May block; raises ``TeamopsError``."""
    report = port.task_report(name)
    blocks = port.snapshot().blocks
    design = design_of(_blocks(report, blocks))
    text = ""
    if design is not None:
        with contextlib.suppress(TeamopsError):  # the chain is worth showing without it
            text = port.block_text(design)
    return Told(report, design, text)


def design_of(blocks: Sequence[Block]) -> Block | None:
    """Return the block with which the DIRECTOR first handed the design on; else the first one of the task."""
    for block in blocks:
        if block.role in IMPLEMENTERS:
            break
        if block.role == DIRECTOR and block.turn not in (None, DIRECTOR, HUMAN, NONE):
            return block
    return blocks[0] if blocks else None


def design_lines(told: Told, width: int, palette: Palette) -> list[Line]:
    """Return the design's own words."""
    block = told.design
    if block is None:
        return []
    lines = heading("Design", palette, f"{block.role}, line {block.line}")
    if not told.text:
        return [*lines, Line().add("  It can't be read now.", palette.warn)]
    head = "\n".join(told.text[: MOST_DESIGN * DESIGN_WIDTH * 2].split("\n")[: MOST_DESIGN * 2])
    drawn = draw_block(head, max(8, min(width, DESIGN_WIDTH) - 2), palette).lines
    lines += [Line(hang=2).add("  ").put(line) for line in drawn[:MOST_DESIGN]]
    if len(drawn) > MOST_DESIGN or len(head) < len(told.text):
        lines.append(Line().add("  … The rest stands in the block.", palette.warn))
    return lines


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


def chain_lines(told: Told, blocks: Sequence[Block], now: float, width: int, palette: Palette) -> list[Line]:
    """Return the whole chain in the order in which it came about, but for what changed and who signed."""
    report = told.report
    lines = design_lines(told, width, palette)
    lines += story_lines(report, blocks, palette)
    lines += gate_lines(report, now, palette)
    return lines + finding_lines(report, palette)


def summary(report: TaskReport, blocks: Sequence[Block], palette: Palette) -> Line:
    """Return in one line what speaks for the work and what against it: gates, challenges, findings, changes."""
    line = Line(hang=2)
    claims = {gate.name: gate.result for gate in report.task.gates}
    failed = {run.gate for run in report.runs if not run.ok}
    for name in GATES:
        symbol, style = words.GATE_RESULTS[claims[name]] if name in claims else ("○", "warn")
        if name in failed:
            symbol, style = "✖", "bad"
        line.add(f"{symbol} {name}  ", palette.named(style))
    told = _blocks(report, blocks)
    given = answers(told)
    points = [(one.index, point.number) for one in told if one.challenges for point in one.challenges.points]
    owed = sum(place not in given for place in points)
    if owed:
        line.add(f"○ {words.number_of(owed, 'challenge')} not answered  ", palette.bad)
    wrong = len(report.findings)
    line.add(
        f"✖ {words.number_of(wrong, 'finding')}  " if wrong else "✓ no findings  ", palette.bad if wrong else palette.ok
    )
    return line.add(diff_words(report.diff) if report.diff else "changes not known", palette.dim)


def story_lines(report: TaskReport, blocks: Sequence[Block], palette: Palette) -> list[Line]:
    """Return design, reviews, building and confirmations, each with what was challenged, answered and claimed."""
    number = len(report.entries)
    lines = heading("Chain", palette, f"{words.number_of(number, 'block')}, oldest first")
    if not number:
        lines.append(Line().add("  Nobody has written a block of it yet.", palette.dim))
    if number > MOST_BLOCKS:
        lines.append(Line().add(f"  … {number - MOST_BLOCKS} earlier ones: the timeline has them", palette.dim))
    given = answers(_blocks(report, blocks))
    for entry in report.entries[-MOST_BLOCKS:]:
        lines.append(_entry_line(entry, palette))
        block = _block(entry, blocks)
        if block is None:
            continue
        lines += _challenge_lines(block, given, palette)
        for gate in block.checks:
            symbol, style = words.GATE_RESULTS[gate.result]
            line = Line(hang=15).add(f"    {symbol} {gate.name:<8} ", palette.named(style))
            lines.append(line.add(gate.evidence or "no evidence", palette.text if gate.evidence else palette.warn))
    return lines


def _blocks(report: TaskReport, blocks: Sequence[Block]) -> list[Block]:
    return [block for entry in report.entries if (block := _block(entry, blocks)) is not None]


def _block(entry: TimelineEntry, blocks: Sequence[Block]) -> Block | None:
    """Return the entry's block; ``None`` where the file has another one in its place by now."""
    block = blocks[entry.index] if 0 <= entry.index < len(blocks) else None
    return block if block is not None and block.digest == entry.digest else None


def _entry_line(entry: TimelineEntry, palette: Palette) -> Line:
    bad = bool(entry.findings)
    line = Line(hang=4).add("  ✖ " if bad else "  ● ", palette.bad if bad else palette.ok)
    line.add(entry.stage.value, palette.strong, 14).add(when(entry.wall), palette.faint, 13)
    line.add(entry.role, palette.strong).add(f" → {entry.turn}" if entry.turn else "", palette.text)
    if entry.verdict:
        line.add(f"  {entry.verdict}", palette.info)
    elif entry.status:
        line.add(f"  {entry.status}", palette.dim)
    return line.add(f"  {', '.join(entry.findings)}" if bad else "", palette.bad)


def _challenge_lines(block: Block, given: Mapping[tuple[int, int], Answer], palette: Palette) -> list[Line]:
    challenges = block.challenges
    if challenges is None:
        return []
    if not challenges.points:
        reason = challenges.none or "no reason given"
        return [Line(hang=6).add("    no challenge: ", palette.dim).add(reason, palette.text)]
    lines = []
    for point in challenges.points:
        lines.append(Line(hang=7).add(f"    {point.number}. ", palette.warn).add(point.text, palette.text))
        answer = given.get((block.index, point.number))
        if answer is None:
            lines.append(Line(hang=9).add("       ○ not answered yet", palette.bad))
        elif answer.point is None:
            lines.append(Line(hang=9).add("       ↻ asked again in a later review", palette.dim))
        else:
            line = Line(hang=9).add("       → ", palette.ok).add(f"{answer.role}: ", palette.dim)
            lines.append(line.add(answer.point.text, palette.text))
    return lines


def answers(blocks: Sequence[Block]) -> dict[tuple[int, int], Answer]:
    """Return what was answered to each challenge: by index of the challenging block and number of the point.

    The DIRECTOR's answer counts; an implementer's is shown until that comes. An answer belongs to the latest point of
    its number; an earlier one that nobody had answered was asked again. A point that is missing here is still owed.
    """
    given: dict[tuple[int, int], Answer] = {}
    owed: dict[int, tuple[int, int]] = {}
    for block in blocks:
        for response in block.responses:
            place = owed.get(response.number)
            if place is not None and block.role == DIRECTOR:
                given[place] = Answer(block.role, response)
                del owed[response.number]
            elif place is not None:
                given.setdefault(place, Answer(block.role, response))
        for point in block.challenges.points if block.challenges else ():
            if point.number in owed:
                given.setdefault(owed[point.number], Answer(block.role, None))
            owed[point.number] = (block.index, point.number)
    return given


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


def cost_lines(report: TaskReport, palette: Palette) -> list[Line]:
    """Return what a task cost, by role and by stage."""
    spend = report.spend
    if spend is None or not spend.total.responses:
        return [
            *heading("Cost", palette),
            Line().add("  Nothing was used under its lights, as far as is known.", palette.dim),
        ]
    whole = spend.total
    told = f"{cost(whole)}, {words.count(whole.tokens.total)} tokens"
    lines = heading("Cost", palette, told if spend.exact else f"{told}, to the minute")
    lines += _parts("by role", {str(role): part for role, part in spend.by_role.items()}, palette)
    lines += _parts("by stage", {stage.value: part for stage, part in spend.by_stage.items()}, palette)
    if spend.now is not None and spend.now.spend.responses:
        lines += _parts("so far", {str(spend.now.role): spend.now.spend}, palette)
    return lines


def _parts(title: str, parts: Mapping[str, Spend], palette: Palette) -> list[Line]:
    lines = []
    for name, part in parts.items():
        if part.responses:
            line = Line(hang=12).add(f"  {title}", palette.faint, 12).add(name, palette.strong, 14)
            line.add(cost(part), palette.text, 10, "right")
            lines.append(line.add(f"  {words.count(part.tokens.total)} tokens", palette.dim))
            title = ""
    return lines


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
