"""The handoff file for programs (``teamops.handoff/1``) and for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from teamops.model.handoff import Block, Handoff, Problem, Task
from teamops.model.text import clean_line

SCHEMA = "teamops.handoff/1"
_GAP = "  "
_NOTHING = "–"  # noqa: RUF001 - a dash for people


def handoff_json(handoff: Handoff, tasks: Sequence[Task]) -> dict[str, Any]:
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
        "tasks": [
            {
                "task": task.task,
                "turn": task.turn,
                "tier": task.tier,
                "stage": str(task.stage),
                "since_line": task.since_line,
                "rounds": task.rounds,
                "open": task.open,
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
    }


def handoff_text(handoff: Handoff, tasks: Sequence[Task]) -> str:
    """Return tables of tasks and blocks, and how many problems there are."""
    parts = []
    if tasks:
        rows = [
            (
                _or_dash(task.task),
                _or_dash(task.tier),
                _or_dash(task.turn),
                str(task.stage),
                str(task.since_line),
                str(task.rounds),
            )
            for task in tasks
        ]
        parts.append(_table(("TASK", "TIER", "LIGHT", "STAGE", "SINCE LINE", "ROUNDS"), rows))
    if handoff.blocks:
        blocks = [
            (
                str(block.line),
                _NOTHING if block.at is None else f"{block.at:%Y-%m-%d %H:%M}",
                f"{block.role} → {block.turn or '?'}",
                _or_dash(block.task),
                _or_dash(block.verdict or block.status) if block.complete else "(being written)",
            )
            for block in handoff.blocks
        ]
        parts.append(_table(("LINE", "AT", "FROM → TO", "TASK", "STATUS"), blocks))
    else:
        parts.append("No blocks yet.")
    if handoff.problems:
        count = len(handoff.problems)
        parts.append(f"{count} problem{'s' * (count > 1)}: see teamops handoff lint")
    return "\n\n".join(parts)


def lint_lines(name: str, problems: Sequence[Problem]) -> list[str]:
    """Return one line for each problem: ``FILE:LINE:COL severity code message (hint)``."""
    shown = clean_line(name)
    return [
        f"{shown}:{problem.line}:{problem.column} {problem.severity} {problem.code} {problem.message} ({problem.hint})"
        for problem in problems
    ]


def _or_dash(value: object) -> str:
    return _NOTHING if value is None else clean_line(str(value), 48)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(_cells(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = (cell + " " * (width - _cells(cell)) for cell, width in zip(row, widths, strict=True))
        lines.append(_GAP.join(cells).rstrip())
    return "\n".join(lines)


def _cells(text: str) -> int:
    """Return how many columns of a terminal ``text`` takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
