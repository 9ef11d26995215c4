"""What is wrong in the believable team's handoff file, and the reports on its tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from teamops.model.errors import UsageError
from teamops.model.handoff import Block, Severity, Stage, Task
from teamops.model.protocol import (
    DiffFile,
    DiffStat,
    GateRun,
    ProtocolFinding,
    StageTime,
    TaskReport,
    TimelineEntry,
)
from teamops.model.role import HUMAN, IMPLEMENTERS, REVIEWER
from teamops.model.snapshot import Snapshot
from teamops.tui.believable_costs import believable_task_spend

TAMPER = 7
"""The rewritten block's row in the ledger."""


def believable_findings(blocks: Sequence[Block]) -> tuple[ProtocolFinding, ...]:
    """Return what is wrong in the believable blocks."""
    rewritten, skipped = blocks[30], blocks[33]
    return (
        ProtocolFinding(
            code="block-rewritten",
            severity=Severity.ERROR,
            line=rewritten.line,
            message=f"The block of {rewritten.role} was changed after it was handed on.",
            hint="Look at what was changed; accept it, or write the old text again.",
            task=rewritten.task,
            index=rewritten.index,
            digest=rewritten.digest,
            role=rewritten.role,
            tamper=TAMPER,
        ),
        ProtocolFinding(
            code="code-review-skipped",
            severity=Severity.ERROR,
            line=skipped.line,
            message=f"{skipped.role} hands to {skipped.turn} without a code review (tier 3).",
            hint="Give the light to REVIEWER before the DIRECTOR confirms.",
            task=skipped.task,
            index=skipped.index,
            digest=skipped.digest,
            role=skipped.role,
        ),
    )


def believable_diff() -> tuple[str, ...]:
    """Return the difference of the rewritten block."""
    return (
        "--- line 248, as it was handed on",
        "+++ line 248, as it is now",
        "@@ -1,7 +1,7 @@",
        " ### [DIRECTOR] 2026-03-28 01:27",
        " ",
        " **Status**: done",
        "-**Turn**: REVIEWER",
        "+**Turn**: CODER",
        " ",
        " #### What I Did",
        " Step 31 of the settings page.",
    )


def believable_report(snapshot: Snapshot, name: str | None) -> TaskReport:
    """Return the report of a task of the snapshot; raises ``UsageError`` where it has none of that name."""
    wanted = (name or "").lower()
    task = next((one for one in snapshot.tasks if (one.task or "").lower() == wanted), None)
    if task is None:
        raise UsageError(f"There is no task {name or 'without a name'} in the handoff file.", "Look at the list.")
    blocks = [snapshot.blocks[index] for index in task.blocks if index < len(snapshot.blocks)]
    findings = tuple(one for one in snapshot.findings if (one.task or "").lower() == wanted)
    light = next((one for one in snapshot.lights if (one.task or "").lower() == wanted), None)
    now = light.cost if light is not None else None
    spend = believable_task_spend(blocks, [_stage(block) for block in blocks], now, task.stage)
    return TaskReport(
        task=task,
        chain=hashlib.sha256("".join(block.digest for block in blocks).encode()).hexdigest()[:16],
        stages=light.stages if light else (StageTime(task.stage, 60.0, 1, current=True),),
        entries=tuple(replace(entry, used=spend.blocks.get(entry.index)) for entry in _entries(blocks, findings)),
        findings=findings,
        runs=(
            GateRun(
                task=task.task,
                gate="runs",
                command="make test",
                ok=True,
                exit_status=0,
                started_wall=snapshot.stamp.wall - 700.0,
                seconds=31.0,
                commit="4f2a1c9d0",
                tree="tree-then",
                tail="212 passed in 30.4s",
            ),
        ),
        tree="tree-now",
        approvals=(),
        diff=DiffStat(
            base="b81d20c7e4aa",
            files=(
                DiffFile(path="src/webhooks/queue.py", added=214, removed=12),
                DiffFile(path="tests/webhooks/test_queue.py", added=131, removed=0),
                DiffFile(path="docs/webhooks.md", added=24, removed=9),
            ),
            commits=3,
        ),
        diff_trouble="",
        refusal="" if task.open and task.turn == HUMAN else _refusal(task),
        spend=spend,
    )


def _refusal(task: Task) -> str:
    return f"The light is with {task.turn}." if task.open else "The task is closed."


def _entries(blocks: Sequence[Block], findings: Sequence[ProtocolFinding]) -> list[TimelineEntry]:
    entries = []
    for before, block in pairwise([None, *blocks]):
        if block is None:
            continue
        held = (block.at - before.at).total_seconds() if before and before.at and block.at else None
        entries.append(
            TimelineEntry(
                index=block.index,
                line=block.line,
                role=block.role,
                turn=block.turn,
                stage=_stage(block),
                wall=block.at.timestamp() if block.at else 0.0,
                seconds=held,
                status=block.status or "",
                verdict=block.verdict or "",
                digest=block.digest,
                findings=tuple(one.code for one in findings if one.index == block.index),
            )
        )
    return entries


def _stage(block: Block) -> Stage:
    if block.role in IMPLEMENTERS:
        return Stage.IMPLEMENT
    return Stage.CODE_REVIEW if block.role == REVIEWER else Stage.DESIGN
