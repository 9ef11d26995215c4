"""The tasks for programs (``teamops.tasks/1``) and for people: where each stands, and what its way there took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from teamops.model.handoff import Stage, Task
from teamops.model.protocol import ProtocolFinding, StageTime, TimelineEntry
from teamops.model.role import HUMAN
from teamops.model.spend import Spend, TaskSpend
from teamops.model.text import clean_line
from teamops.report.handoff import finding_json, findings_text
from teamops.report.spend import cost_text, spend_json, spend_lines, task_spend_json, tokens_text
from teamops.report.table import NOTHING, WIDTH, counted, or_dash, table, wrapped
from teamops.report.times import brief, iso, stage_lines, stages_json

SCHEMA = "teamops.tasks/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One task with all that is told of it."""

    task: Task
    since_wall: float
    """When its light came to its holder, Unix seconds; 0 = not known."""
    stages: tuple[StageTime, ...]
    entries: tuple[TimelineEntry, ...]
    findings: tuple[ProtocolFinding, ...]
    spend: TaskSpend | None = None
    """``None``: there is no ledger that knows."""


def tasks_json(rows: Sequence[TaskRow], *, recorded: bool, timeline: bool) -> dict[str, Any]:
    """Return the shape of ``teamops.tasks/1``. ``recorded``: the ledger was read, times are those of first sight."""
    return {
        "schema": SCHEMA,
        "recorded": recorded,
        "tasks": [_task_json(row) | ({"timeline": _timeline_json(row)} if timeline else {}) for row in rows],
    }


def _task_json(row: TaskRow) -> dict[str, Any]:
    task = row.task
    return {
        "task": task.task,
        "turn": task.turn,
        "tier": task.tier,
        "stage": str(task.stage),
        "open": task.open,
        "standing": str(task.standing),
        "rounds": task.rounds,
        "since_line": task.since_line,
        "since": iso(row.since_wall or None),
        "blocks": len(task.blocks),
        "stages": stages_json(row.stages),
        "gates": [
            {"name": gate.name, "result": str(gate.result), "evidence": gate.evidence, "line": gate.line}
            for gate in task.gates
        ],
        "findings": [finding_json(finding) for finding in row.findings],
        "cost": None if row.spend is None else task_spend_json(row.spend),
    }


def _timeline_json(row: TaskRow) -> list[dict[str, Any]]:
    return [
        {
            "line": entry.line,
            "role": entry.role,
            "turn": entry.turn,
            "stage": str(entry.stage),
            "at": iso(entry.wall or None),
            "held_s": None if entry.seconds is None else round(entry.seconds),
            "status": entry.status or None,
            "verdict": entry.verdict or None,
            "digest": entry.digest,
            "findings": list(entry.findings),
            "used": None
            if entry.used is None
            else {"by": entry.used.role, "exact": entry.used.exact, **spend_json(entry.used.spend)},
        }
        for entry in row.entries
    ]


def tasks_text(rows: Sequence[TaskRow], closed: int = 0, width: int = WIDTH) -> str:
    """Return a table of the tasks, below it what each stage took. ``closed``: so many are not shown."""
    parts = []
    if rows:
        head = ["TASK", "TIER", "LIGHT", "STAGE", "ROUNDS", "STANDING", "FINDINGS"]
        costs = [_cost(row) for row in rows]
        head += ["COST"] if any(costs) else []
        cells = [
            (
                or_dash(row.task.task),
                or_dash(row.task.tier),
                or_dash(row.task.turn),
                str(row.task.stage),
                str(row.task.rounds),
                str(row.task.standing),
                str(len(row.findings) or NOTHING),
                *([cost or NOTHING] if any(costs) else []),
            )
            for row, cost in zip(rows, costs, strict=True)
        ]
        parts.append(table(tuple(head), cells, width, give=(0,)))
        timed = [row for row in rows if row.stages]
        if timed:
            lines = ["TIME PER STAGE"]
            for row in timed:
                lines += stage_lines(row.stages, width, f"{or_dash(row.task.task)}: ")
            parts.append("\n".join(lines))
    else:
        parts.append("No task is open." if closed else "No tasks yet.")
    if closed:
        parts.append(f"{counted(closed, 'closed task')} not shown: --all")
    if any(row.findings for row in rows):
        parts.append("what is wrong: teamops handoff lint, or --task NAME")
    return "\n\n".join(parts)


def timeline_text(name: str, row: TaskRow, width: int = WIDTH) -> str:
    """Return one task's story: every block, who wrote it, when, after how long, and what it said."""
    task = row.task
    title = [f"{or_dash(task.task)}: {f'tier {task.tier}' if task.tier else 'no tier'}"]
    title += ["closed" if not task.open else f"{stage_now(task)}, the light is {or_dash(task.turn)}'s"]
    title += [f"{counted(task.rounds, 'round')} back"] if task.rounds else []
    title += [str(task.standing)]
    parts = ["\n".join(wrapped(", ".join(title), width)), entries_text(row.entries, width)]
    if row.stages:
        parts.append("\n".join(stage_lines(row.stages, width, "Time: ")))
    if row.spend is not None and row.spend.total.responses:
        parts.append("\n".join(spend_lines(row.spend, width)))
    if row.findings:
        parts.append(findings_text(name, row.findings))
    return "\n\n".join(parts)


def stage_now(task: Task) -> str:
    """Return where an open task stands, by the name under which its time is told: with the person it is sign-off."""
    asked = task.turn == HUMAN and task.stage is not Stage.SIGN_OFF
    return f"{Stage.SIGN_OFF} (from {task.stage})" if asked else str(task.stage)


def entries_text(entries: Sequence[TimelineEntry], width: int = WIDTH) -> str:
    """Return the table of a task's blocks; with what was used under the light that each ended, where that is known."""
    head = ["LINE", "WHEN", "FROM → TO", "STAGE", "HELD", "SAID"]
    used = any(entry.used is not None and entry.used.spend.responses for entry in entries)
    if used:
        head[5:5] = ["COST", "TOKENS"]
    cells = [_entry(entry, used=used) for entry in entries]
    return table(tuple(head), cells, width, give=(2, len(head) - 1))


def _cost(row: TaskRow) -> str:
    """Return what a task cost; nothing where nothing is known to be used."""
    return cost_text(row.spend.total) if row.spend is not None and row.spend.total.responses else ""


def _entry(entry: TimelineEntry, *, used: bool) -> tuple[str, ...]:
    spend = entry.used.spend if entry.used is not None else Spend()
    tokens = tokens_text(spend.tokens.total) if spend.responses else NOTHING
    said = clean_line(entry.verdict or entry.status, 60) or NOTHING
    if entry.findings:
        said += f" ! {', '.join(entry.findings)}"
    return (
        str(entry.line),
        f"{datetime.fromtimestamp(entry.wall):%m-%d %H:%M}" if entry.wall else NOTHING,  # noqa: DTZ006 - local, as headings are
        f"{or_dash(entry.role)} → {or_dash(entry.turn) if entry.turn else '?'}",
        str(entry.stage),
        NOTHING if entry.seconds is None else brief(entry.seconds),
        *((cost_text(spend), tokens) if used else ()),
        said,
    )
