"""Which blocks can leave the handoff file for an archive, so that all of them still mean what they meant."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from teamops.handoff.archive import Moving, is_open_ended, put
from teamops.handoff.blocks import task_name
from teamops.handoff.document import parse
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block
from teamops.model.role import Role

Wanted = Callable[[tuple[Block, ...]], Collection[int]]
"""Given the file's blocks as they stand under the lock; returns the indices of those that may go."""
Archive = Callable[[str], bytes]
"""Given a month (``2026-03``); returns what its archive holds, nothing where there is none."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """How a handoff file is divided."""

    rest: bytes
    """What stays, byte for byte."""
    archives: Mapping[str, bytes]
    """Month → its archive with what goes there."""
    moved: tuple[Block, ...]
    """The blocks that go, as they stood."""
    kept: tuple[str | None, ...]
    """Tasks that were wanted but stay."""
    last: bool
    """The file's last block goes."""


def divide(data: bytes, wanted: Wanted, archive: Archive, now: datetime, roles: Collection[Role]) -> Leaving:
    """Divide the handoff file ``data`` into what stays and what goes to the archives.

    Tasks go whole or not at all: a block without Task or Tier has them from blocks of its task before it, so none is
    left behind without what it inherits. A task stays if one of its blocks is not wanted or may still be in writing,
    if it ends in an open fence (all that comes later would be part of it), or if a block that stays, or one in an
    archive, would read differently with it gone, as an indented heading right after a list does.

    A block goes to the month of its heading; one that has its task from the block before it goes where that one goes.
    ``now`` (local, naive) stands for the time that a heading doesn't have. Raises ``TeamopsError`` where an archive
    ends in an open fence.
    """
    blocks = parse(data, roles).blocks
    indices = set(wanted(blocks))
    asked = {_key(block) for block in blocks if block.index in indices}
    going = asked - {_key(block) for block in blocks if block.index not in indices or not block.complete}
    if blocks and is_open_ended(data[blocks[-1].start :], roles):
        going.discard(_key(blocks[-1]))
    division = _Division(data, blocks, archive, now, roles)
    while refused := division.attempt(going):
        going -= refused
    kept = {_key(block): block.task for block in blocks if _key(block) in asked - going}
    moved = tuple(block for block in blocks if _key(block) in going)
    last = bool(moved) and moved[-1] is blocks[-1]
    return Leaving(division.rest, division.archives, moved, tuple(kept.values()), last)


def _key(block: Block) -> str:
    return (block.task or "").lower()


@dataclass(slots=True)
class _Division:
    """The file, and what one attempt to divide it gave."""

    data: bytes
    blocks: Sequence[Block]
    archive: Archive
    now: datetime
    roles: Collection[Role]
    rest: bytes = b""
    archives: dict[str, bytes] = field(default_factory=dict)

    def attempt(self, going: set[str]) -> set[str]:
        """Divide; return those of the tasks ``going`` that have to stay, none if all can go."""
        staying = [block for block in self.blocks if _key(block) not in going]
        preamble = self.data[: self.blocks[0].start] if self.blocks else self.data
        self.rest = preamble + b"".join(self._text(block) for block in staying)
        read = parse(self.rest, self.roles).blocks
        for at, block in enumerate(staying):
            if at >= len(read) or _sense(read[at]) != _sense(block):
                near = self.blocks[max(0, block.index - 1) : block.index + 2]
                return {_key(one) for one in near} & going or going
        self.archives.clear()
        for month, moving in self._by_month(going).items():
            before = self.archive(month)
            if is_open_ended(before, self.roles):
                raise TeamopsError(
                    f"the archive of {month} ends in a code fence or comment that is never closed",
                    "close it at the archive's end, then rotate again",
                )
            self.archives[month], refused = put(before, moving, self.roles)
            if refused:
                return {_key(one.block) for one in refused}
        return set()

    def _text(self, block: Block) -> bytes:
        return self.data[block.start : block.end]

    def _by_month(self, going: set[str]) -> dict[str, list[Moving]]:
        months: dict[str, list[Moving]] = {}
        month = ""
        for block in self.blocks:
            if _key(block) in going:
                if block.task is None or task_name(block.fields.get("Task", "")) is not None:
                    month = f"{block.at or self.now:%Y-%m}"
                months.setdefault(month, []).append(Moving(block, self._text(block)))
        return months


def _sense(block: Block) -> tuple[object, ...]:
    """Return what must not change about a block that stays."""
    said = (block.status, block.turn, block.tier, block.verdict, block.complete)
    return (block.digest, block.role, block.at, block.task, *said)
