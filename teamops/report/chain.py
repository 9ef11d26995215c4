"""A task's whole chain for the person who is to judge it: design, reviews, answers, gates, what changed, times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from teamops.model.handoff import GATES, Block, Gate, GateResult, Point
from teamops.model.protocol import DiffStat, GateRun, ProtocolFinding, TaskReport
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, NONE
from teamops.model.text import clean, clean_line
from teamops.report.table import NOTHING, WIDTH, cells, counted, fit, or_dash, wrapped
from teamops.report.tasks import entries_text, stage_now
from teamops.report.times import span, stage_lines

DESIGN_LINES = 24
"""A longer design is cut; the file has the rest."""
FILES = 20
"""So many changed files are named, those with most lines first."""
NOTE = 100


@dataclass(frozen=True, slots=True)
class Answered:
    """A challenge with what the DIRECTOR answered."""

    point: Point
    answer: Point | None


def answered(blocks: Sequence[Block]) -> list[Answered]:
    """Return every challenge of a task's ``blocks`` in their order, each with its answer if there is one.

    An answer belongs to the challenge of its number that is owed then. A point that is put again, with the same number,
    before it was answered takes the place of the earlier one.
    """
    rows: list[Answered] = []
    for block in blocks:
        if block.role == DIRECTOR:
            for answer in block.responses:
                owed = [at for at, row in enumerate(rows) if row.point.number == answer.number and row.answer is None]
                if owed:
                    rows[owed[-1]] = Answered(rows[owed[-1]].point, answer)
        if block.challenges is not None:
            again = {point.number for point in block.challenges.points}
            rows = [row for row in rows if row.answer is not None or row.point.number not in again]
            rows += [Answered(point, None) for point in block.challenges.points]
    return rows


def chain_text(
    name: str,
    report: TaskReport,
    blocks: Sequence[Block],
    text_of: Callable[[Block], str],
    now_wall: float,
    width: int = WIDTH,
) -> str:
    """Return the chain as text.

    ``name``: the handoff file as the person knows it. ``blocks``: those of the file. ``text_of`` gives a block's
    Markdown.
    """
    task = report.task
    own = [blocks[index] for index in task.blocks if index < len(blocks)]
    facts = [
        f"tier {task.tier}" if task.tier else "no tier",
        "closed" if not task.open else f"{stage_now(task)}: the light is {or_dash(task.turn)}'s",
        str(task.standing),
        *([f"sent back {counted(task.rounds, 'time')}"] if task.rounds else []),
    ]
    parts = [f"{or_dash(task.task, 200)}: {', '.join(facts)}"]
    parts.append(_under("Design", _design(own, text_of, width), width))
    parts.append(_under("Chain", entries_text(report.entries, width).splitlines(), width))
    if report.stages:
        parts[-1] += "\n" + "\n".join(stage_lines(report.stages, width, "Time: "))
    parts.append(_under("Challenges", _challenges(own, width), width))
    parts.append(_under("Gates", _gates(report, now_wall, width), width))
    parts.append(_under("Changes", _changes(report.diff, report.diff_trouble, width), width))
    parts.append(_under("Findings", _findings(name, report.findings, width), width))
    if report.approvals:
        parts.append(_under("On record", _approvals(report, width), width))
    return "\n\n".join(parts)


def _under(title: str, lines: Sequence[str], width: int) -> str:
    return "\n".join([f"── {title} {'─' * max(0, min(width, WIDTH) - len(title) - 4)}", *lines])


def _design(own: Sequence[Block], text_of: Callable[[Block], str], width: int) -> list[str]:
    """Return the block with which the DIRECTOR first handed the design on, and where it was changed before building."""
    built = next((at for at, block in enumerate(own) if block.role in IMPLEMENTERS), len(own))
    off = {None, DIRECTOR, HUMAN, NONE}
    designs = [block for block in own[:built] if block.role == DIRECTOR and block.turn not in off] or list(own[:1])
    if not designs:
        return ["none"]
    _, _, body = clean(text_of(designs[0])).partition("\n")
    text = [line for line in body.strip("\n").split("\n") if not line.startswith("**")]
    while text and not text[0].strip():
        text.pop(0)
    lines = [f"{clean_line(designs[0].role, 40)}, line {designs[0].line}"]
    lines += [f"  {_cut(line.expandtabs(4), width - 2)}".rstrip() for line in text[:DESIGN_LINES]]
    if len(text) > DESIGN_LINES:
        lines.append(f"  … {counted(len(text) - DESIGN_LINES, 'line')} more in the file")
    if len(designs) > 1:
        lines.append(f"  changed in line {', '.join(str(block.line) for block in designs[1:])}")
    return lines


def _cut(text: str, width: int) -> str:
    return fit(text, width) if cells(text) > width else text


def _challenges(own: Sequence[Block], width: int) -> list[str]:
    lines = []
    for row in answered(own):
        lines += wrapped(f"{clean_line(row.point.text)} (line {row.point.line})", width, f"{row.point.number}. ", "   ")
        if row.answer is None:
            lines.append("   ! not answered")
        else:
            lines += wrapped(f"{clean_line(row.answer.text)} (line {row.answer.line})", width, "   → ", "     ")
    for block in own:
        if block.challenges is not None and block.challenges.none:
            said = f'{block.role} had none: "{clean_line(block.challenges.none)}" (line {block.challenges.line})'
            lines += wrapped(said, width, "", "   ")
    return lines or ["none was put"]


def _gates(report: TaskReport, now_wall: float, width: int) -> list[str]:
    claimed = {gate.name: gate for gate in report.task.gates}
    runs = {run.gate: run for run in report.runs}
    lines = []
    for name in dict.fromkeys([*GATES, *claimed, *runs]):
        lines += wrapped(_claim(claimed.get(name)), width, f"{name:<9} ", " " * 10)
        lines += wrapped(_run(runs.get(name), report.tree, now_wall), width, " " * 10, " " * 12)
    return lines


def _claim(gate: Gate | None) -> str:
    if gate is None:
        return "not claimed"
    proof = clean_line(gate.evidence) or ("without evidence" if gate.result is GateResult.PASS else "")
    return f"claimed: {gate.result}" + (f", {proof}" if proof else "")


def _run(run: GateRun | None, tree: str, now_wall: float) -> str:
    if run is None:
        return "never run by teamops"
    how = "passed" if run.ok else f"! failed{'' if run.exit_status is None else f' (exit status {run.exit_status})'}"
    words = f"run by teamops: {how}, {span(now_wall - run.started_wall)} ago, in {span(run.seconds)}"
    if tree and run.tree and run.tree != tree:
        words += "; out of date: the work tree has changed since"
    return f"{words}: {clean_line(run.command, NOTE)}"


def _changes(diff: DiffStat | None, trouble: str, width: int) -> list[str]:
    if diff is None:
        return wrapped(clean_line(trouble) or "not known", width)
    added, removed = sum(map(attrgetter("added"), diff.files)), sum(map(attrgetter("removed"), diff.files))
    lines = [
        f"{counted(len(diff.files), 'file')}, +{added} -{removed}, {counted(diff.commits, 'commit')}"
        + (f" since {clean_line(diff.base)[:12]}" if diff.base else "")
    ]
    files = sorted(diff.files, key=lambda file: -(file.added + file.removed))
    for file in files[:FILES]:
        count = f"+{file.added} -{file.removed}"
        lines.append(f"  {count:>12}  {_cut(clean_line(file.path), width - 16)}")
    if len(files) > FILES:
        lines.append(f"  … and {counted(len(files) - FILES, 'file')} more")
    return lines


def _findings(name: str, findings: Sequence[ProtocolFinding], width: int) -> list[str]:
    lines = []
    for finding in findings:
        lines.append(f"! {finding.severity} {finding.code} ({clean_line(name)}:{finding.line})")
        lines += wrapped(clean_line(finding.message), width, "  ", "  ")
        lines += wrapped(clean_line(finding.hint), width, "  → ", "    ")
    return lines or ["none"]


def _approvals(report: TaskReport, width: int) -> list[str]:
    lines = []
    for one in report.approvals:
        at = f"{datetime.fromtimestamp(one.wall):%Y-%m-%d %H:%M}"  # noqa: DTZ006 - the person's own time
        note = f": {clean_line(one.note, NOTE)}" if one.note else ""
        lines += wrapped(f"{at} {clean_line(one.approver, 40)}: {one.verdict or NOTHING}{note}", width, "", "  ")
    return lines
