"""What is asked of the supervisor now and then: a task's whole chain, the difference of a rewrite."""

from __future__ import annotations

import asyncio
import difflib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.domain import timeline
from teamops.ledger.store import LedgerError
from teamops.model.boundary import Decision
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.protocol import DiffStat, TaskReport
from teamops.model.text import clean, clean_line
from teamops.supervisor import signing

if TYPE_CHECKING:
    from pathlib import Path

    from teamops.ledger.audit import Audit
    from teamops.model.protocol import Tamper
    from teamops.model.role import Role
    from teamops.supervisor.core import Core

MAX_DECISIONS = 200
PATCHES = "patches"
"""The folder beside the ledger that keeps what was changed past a boundary."""
MAX_LINES = 4000
"""More of a block is not compared; the difference says so."""


async def task_report(core: Core, name: str | None) -> TaskReport:
    """Return the whole chain of a task. Raises ``UsageError`` for one that the file doesn't have."""
    book, protocol = core.book, core.book.protocol
    task = protocol.task(name)
    if task is None:
        known = ", ".join(clean_line(one.task, 60) for one in protocol.tasks if one.task)
        raise UsageError(
            f'the handoff file has no task "{clean_line(name or "", 60)}"',
            f"tasks: {known}" if known else "it is empty",
        )
    blocks, wall = book.handoff.blocks, book.stamp.wall
    walls = timeline.walls(blocks, protocol.walls)
    key = (task.task or "").lower()
    findings = tuple(one for one in protocol.findings if (one.task or "").lower() == key)
    standing = {block.digest for block in blocks}
    core.costing.go_on(book)
    spend = core.costing.task(book, name)
    runs = protocol.proof.runs if protocol.proof is not None else ()
    report = TaskReport(
        task=task,
        chain=timeline.chain(task, blocks),
        stages=protocol.count_stages(task, wall),
        entries=tuple(
            replace(entry, used=spend.blocks.get(entry.index))
            for entry in timeline.entries(task, blocks, walls, findings)
        ),
        findings=findings,
        runs=tuple(run for run in runs if (run.task or "").lower() == key),
        tree="",
        # One whose block never came into the file (the disk was full) signed nothing.
        approvals=tuple(
            one for one in protocol.approvals if (one.task or "").lower() == key and one.digest in standing
        ),
        diff=None,
        diff_trouble="",
        refusal=signing.refusal(book, task),
        spend=spend,
    )
    began = walls[task.blocks[0]]
    tree, diff, trouble = await asyncio.to_thread(_git_facts, book.settings.root, book.settings.handoff, began)
    return replace(report, tree=tree, diff=diff, diff_trouble=trouble)


def _git_facts(root: Path, handoff: Path, began: float) -> tuple[str, DiffStat | None, str]:
    """Return the work tree's hash, what changed since ``began``, and why that is not known. Blocks: asks git."""
    from teamops.git.repository import Repository

    tree = ""
    try:
        repository = Repository.find(root)
        if repository is None:
            return "", None, "the project is in no git repository"
        tree = repository.work_tree((handoff,))
        if began <= 0:
            return tree, None, "nobody knows when the task began"
        return tree, repository.changed_since(repository.base_at(began), (handoff,)), ""
    except (TeamopsError, OSError) as error:
        return tree, None, clean_line(str(error))


def tamper_diff(core: Core, tamper: int) -> tuple[str, ...]:
    """Return a unified diff of a rewritten block, old against new, cleaned. Raises ``TeamopsError``.

    Of a block that is gone every line is removed; of one that was put in between, every line is new.
    """
    proof = core.book.protocol.proof
    return change_lines(core.memory.audit, proof.tampers if proof is not None else (), tamper)


def change_lines(audit: Audit, found: tuple[Tamper, ...], tamper: int) -> tuple[str, ...]:
    """Return the lines of ``tamper_diff``; ``found``: the changes that are not undone."""
    change = next((one for one in found if one.id == tamper), None)
    if change is None:
        raise TeamopsError("there is no such change any more", "the old text is back: look again")
    try:
        old = audit.block_text(change.before.id) if change.before is not None else ""
        new = audit.text_of(change.after) if change.after else ""
    except LedgerError as error:
        raise TeamopsError(error.message, error.hint) from error
    lines = list(
        difflib.unified_diff(
            _lines(old), _lines(new), "handed on", "in the file now" if change.after else "gone", n=3, lineterm=""
        )
    )
    together = len(signing.edit_of(found, change))
    if together > 1:
        lines.insert(0, f"one of {together} blocks that are gone since the same edit: they are accepted together")
    missing = [
        what for what, text, there in (("old", old, change.before), ("new", new, change.after)) if there and not text
    ]
    if missing:
        lines.insert(0, f"the {' and the '.join(missing)} text was never seen: only its hash is known")
    return tuple(lines)


def patch_lines(path: Path) -> tuple[str, ...]:
    """Return the lines of a kept change, cleaned. Raises ``TeamopsError``."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TeamopsError(f"{path} can't be read: {error}", "the change itself may still stand in the file") from error
    return tuple(_lines(raw.decode("utf-8", "replace")))


def decisions(core: Core, role: Role | None = None) -> tuple[Decision, ...]:
    """Return what the hooks of one role or of all refused or warned of lately, newest first. Raises ``LedgerError``."""
    return tuple(core.bounding.refused(role, MAX_DECISIONS))


def violation_diff(core: Core, violation: int) -> tuple[str, ...]:
    """Return a unified diff of a change past a boundary, cleaned. Raises ``TeamopsError`` where none is kept."""
    name = core.memory.boundaries.patch_of(violation)
    if not name:
        raise TeamopsError(
            f"of violation {violation} no change is kept", "look which there are: teamops guard violations"
        )
    return patch_lines(core.memory.path.parent / PATCHES / name)


def _lines(text: str) -> list[str]:
    lines = clean(text).splitlines()
    if len(lines) > MAX_LINES:
        return [*lines[:MAX_LINES], f"… cut here: {len(lines) - MAX_LINES} more lines"]
    return lines
