"""The handoff file for programs (``teamops.handoff/1``, ``teamops.lint/1``) and for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from teamops.model.handoff import Block, Handoff, Problem, Severity, Task
from teamops.model.protocol import ProtocolFinding
from teamops.model.text import clean_line
from teamops.report.table import NOTHING, WIDTH, counted, or_dash, table

SCHEMA = "teamops.handoff/1"
LINT_SCHEMA = "teamops.lint/1"


def handoff_json(handoff: Handoff, tasks: Sequence[Task], findings: Sequence[ProtocolFinding] = ()) -> dict[str, Any]:
    """Return the shape of ``teamops.handoff/1``: absent values are null, times ISO local minutes."""
    return {
        "schema": SCHEMA,
        "blocks": [_block(block) for block in handoff.blocks],
        "problems": [
            {
                "line": problem.line,
                "column": problem.column,
                "code": problem.code,
                "severity": str(problem.severity),
                "message": problem.message,
                "hint": problem.hint,
            }
            for problem in handoff.problems
        ],
        "findings": [finding_json(finding) for finding in findings],
        "tasks": [
            {
                "task": task.task,
                "turn": task.turn,
                "tier": task.tier,
                "stage": str(task.stage),
                "since_line": task.since_line,
                "rounds": task.rounds,
                "open": task.open,
                "standing": str(task.standing),
            }
            for task in tasks
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    return {
        "role": block.role,
        "at": None if block.at is None else block.at.isoformat(timespec="minutes"),
        "line": block.line,
        "task": block.task,
        "status": block.status,
        "turn": block.turn,
        "tier": block.tier,
        "fields": dict(block.fields),
        "sections": [{"title": section.title, "line": section.line} for section in block.sections],
        "digest": block.digest,
    }


def finding_json(finding: ProtocolFinding) -> dict[str, Any]:
    """Return a broken rule of the protocol; ``do`` says how to mend it."""
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "line": finding.line,
        "task": finding.task,
        "role": finding.role,
        "message": finding.message,
        "do": finding.hint,
    }


def handoff_text(
    handoff: Handoff, tasks: Sequence[Task], findings: Sequence[ProtocolFinding] = (), width: int = WIDTH
) -> str:
    """Return tables of tasks and blocks, and how many problems and findings there are."""
    parts = []
    if tasks:
        rows = [
            (
                or_dash(task.task),
                or_dash(task.tier),
                or_dash(task.turn),
                str(task.stage),
                str(task.since_line),
                str(task.rounds),
                str(task.standing),
            )
            for task in tasks
        ]
        head = ("TASK", "TIER", "LIGHT", "STAGE", "SINCE LINE", "ROUNDS", "STANDING")
        parts.append(table(head, rows, width, give=(0,)))
    if handoff.blocks:
        blocks = [
            (
                str(block.line),
                NOTHING if block.at is None else f"{block.at:%Y-%m-%d %H:%M}",
                f"{or_dash(block.role)} → {or_dash(block.turn) if block.turn else '?'}",
                or_dash(block.task),
                or_dash(block.verdict or block.status) if block.complete else "(being written)",
            )
            for block in handoff.blocks
        ]
        parts.append(table(("LINE", "AT", "FROM → TO", "TASK", "STATUS"), blocks, width, give=(2, 3, 4)))
    else:
        parts.append("No blocks yet.")
    wrong = [
        counted(len(rows), what) for rows, what in ((handoff.problems, "problem"), (findings, "finding")) if len(rows)
    ]
    if wrong:
        parts.append(f"{', '.join(wrong)}: see teamops handoff lint")
    return "\n\n".join(parts)


def findings_text(name: str, findings: Iterable[ProtocolFinding]) -> str:
    """Return the findings for a person: where and what, and below it what to do."""
    lines = []
    for finding in findings:
        lines += [
            f"{clean_line(name)}:{finding.line} {finding.severity} {finding.code}",
            f"  {clean_line(finding.message)}",
            f"  → {clean_line(finding.hint)}",
        ]
    return "\n".join(lines)


def lint_lines(name: str, problems: Sequence[Problem], findings: Sequence[ProtocolFinding] = ()) -> list[str]:
    """Return one line for each problem and finding, in the file's order.

    Each is ``FILE:LINE:COL severity code message (hint)``; a finding has its block's or point's line and column 1.
    """
    shown = clean_line(name)
    return [
        f"{shown}:{line}:{column} {severity} {code} {clean_line(message)} ({clean_line(hint)})"
        for line, column, severity, code, message, hint in _merged(problems, findings)
    ]


def lint_json(name: str, problems: Sequence[Problem], findings: Sequence[ProtocolFinding]) -> dict[str, Any]:
    """Return the shape of ``teamops.lint/1``; ``ok`` is false where there is an error."""
    rows = _merged(problems, findings)
    return {
        "schema": LINT_SCHEMA,
        "file": name,
        "ok": not any(severity in {Severity.ERROR, Severity.CRITICAL} for _, _, severity, *_ in rows),
        "problems": [
            {
                "line": line,
                "column": column,
                "code": code,
                "severity": str(severity),
                "message": message,
                "hint": hint,
            }
            for line, column, severity, code, message, hint in rows
        ],
    }


def _merged(
    problems: Sequence[Problem], findings: Sequence[ProtocolFinding]
) -> list[tuple[int, int, Severity, str, str, str]]:
    rows = [(one.line, one.column, one.severity, one.code, one.message, one.hint) for one in problems]
    rows += [(one.line, 1, one.severity, one.code, one.message, one.hint) for one in findings]
    return sorted(rows, key=lambda row: row[:2])
