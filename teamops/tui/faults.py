"""What is to be mended in the handoff file: its grammar's problems and the protocol's findings, as one list."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct

from teamops.model.handoff import Block, Severity
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot

_ORDER = {Severity.CRITICAL: 0, Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}


class Fault(Struct, frozen=True, kw_only=True):
    """One problem or finding, with the block that it is about."""

    line: int
    """1-based line in the file; of a block that is gone, where it stood last."""
    code: str
    severity: Severity
    message: str
    hint: str
    task: str | None
    index: int
    """Index of the block; -1 = none: before the first, or no more in the file."""
    role: Role | None = None
    tamper: int | None = None
    """A difference can be shown."""


class Faults:
    """The faults of the newest snapshot; put together again only when they have changed."""

    def __init__(self) -> None:
        self._of: tuple[object, object, object] | None = None
        self._all: tuple[Fault, ...] = ()
        self._to_mend: tuple[Fault, ...] = ()

    def to_mend(self, snapshot: Snapshot) -> tuple[Fault, ...]:
        """Return those that somebody has to mend: all but the merely informing."""
        self.of(snapshot)
        return self._to_mend

    def of(self, snapshot: Snapshot) -> tuple[Fault, ...]:
        """Return the snapshot's faults, the gravest first, each kind in the order of the file."""
        now = (snapshot.problems, snapshot.findings, snapshot.blocks)
        # By identity: a snapshot that brings nothing new brings the same tuples.
        if self._of is None or any(old is not new for old, new in zip(self._of, now, strict=True)):
            self._of, self._all = now, _faults(snapshot)
            self._to_mend = tuple(fault for fault in self._all if fault.severity is not Severity.INFO)
        return self._all


def block_at(blocks: Sequence[Block], line: int) -> int:
    """Return the index of the block that has line ``line``, or stands before it; -1 where none does."""
    return bisect_right(blocks, line, key=lambda block: block.line) - 1


def _faults(snapshot: Snapshot) -> tuple[Fault, ...]:
    found = []
    for problem in snapshot.problems:
        index = block_at(snapshot.blocks, problem.line)
        block = snapshot.blocks[index] if index >= 0 else None
        found.append(
            Fault(
                line=problem.line, code=problem.code, severity=problem.severity, message=problem.message,
                hint=problem.hint, task=block.task if block else None, index=index,
                role=block.role if block else None,
            )
        )  # fmt: skip
    found += [
        Fault(
            line=finding.line, code=finding.code, severity=finding.severity, message=finding.message,
            hint=finding.hint, task=finding.task, index=finding.index, role=finding.role, tamper=finding.tamper,
        )
        for finding in snapshot.findings
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda fault: (_ORDER[fault.severity], fault.line)))
