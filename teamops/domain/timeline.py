"""The story of a task: its blocks in time, what it has spent in each stage, and the digest of it all.

When a block was written is known from the ledger (teamops saw it come), else from its heading, which somebody wrote by
hand and which may be wrong. So time never runs backwards here: a block is at least as late as the one before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import overload

from teamops.model.handoff import Block, Stage, Task
from teamops.model.protocol import ProtocolFinding, StageTime, TimelineEntry
from teamops.model.role import HUMAN


def heading_wall(at: datetime | None) -> float:
    """Return a heading's naive local time as Unix seconds; 0 = none, or one that no clock shows."""
    try:
        return 0.0 if at is None else max(0.0, at.timestamp())
    except (OverflowError, OSError, ValueError):
        return 0.0


def walls(blocks: Sequence[Block], known: Mapping[str, float]) -> Sequence[float]:
    """Return when each block was written, Unix seconds: first seen by teamops, else its heading's time; 0 = unknown.

    ``known``: the ledger's first sight of each block, by digest. Costs nothing but for the blocks that are looked up.
    """
    return _Walls(blocks, known)


class _Walls(Sequence[float]):
    def __init__(self, blocks: Sequence[Block], known: Mapping[str, float]) -> None:
        self._blocks = blocks
        self._known = known

    def __len__(self) -> int:
        return len(self._blocks)

    @overload
    def __getitem__(self, index: int) -> float: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[float]: ...

    def __getitem__(self, index: int | slice) -> float | Sequence[float]:
        if isinstance(index, slice):
            return _Walls(self._blocks[index], self._known)
        block = self._blocks[index]
        wall = self._known.get(block.digest)
        return heading_wall(block.at) if wall is None else wall


def entries(
    task: Task, blocks: Sequence[Block], walls: Sequence[float], findings: Iterable[ProtocolFinding] = ()
) -> tuple[TimelineEntry, ...]:
    """Return the blocks of ``task`` in its story, oldest first; ``walls``: as ``walls`` gives them for ``blocks``."""
    codes: dict[int, list[str]] = {}
    for finding in findings:
        codes.setdefault(finding.index, []).append(finding.code)
    told = []
    coming = list(reversed(task.passages))
    stage, holder, since = Stage.DESIGN, None, 0
    for index in task.blocks:
        block, wall = blocks[index], walls[index]
        passage = coming.pop() if coming and coming[-1].index == index else None
        if stage is Stage.CLOSED and passage is not None and passage.stage is not Stage.CLOSED:
            stage = Stage.DESIGN  # who opens a closed task again designs
        told.append(
            TimelineEntry(
                index=index,
                line=block.line,
                role=block.role,
                turn=block.turn,
                stage=stage,
                wall=wall,
                seconds=_held(walls[since], wall) if holder == block.role else None,
                status=block.status or "",
                verdict=block.verdict or "",
                digest=block.digest,
                findings=tuple(dict.fromkeys(codes.get(index, ()))),
            )
        )
        if passage is not None:
            since = index if passage.holder != holder else since
            stage, holder = passage.stage, passage.holder
    return tuple(told)


def stage_times(
    task: Task,
    blocks: Sequence[Block],  # noqa: ARG001 - all that is asked about a task is asked in the same way
    walls: Sequence[float],
    now_wall: float,
) -> tuple[StageTime, ...]:
    """Return what ``task`` has spent in each stage, in the order in which it came there.

    They add up to the time in which it was open, from its first block on: how long that one took nobody knows, so a
    design may have none. The present stage lasts until ``now_wall``. While a person holds the light it is sign-off,
    wherever the task stands. Who is asked beside the line and gives the light back makes no second visit of it.
    """
    if not task.passages:
        return ()
    spent, visits = {Stage.DESIGN: 0.0}, {Stage.DESIGN: 1}
    station = present = Stage.DESIGN
    moments = _moments([walls[passage.index] for passage in task.passages], now_wall)
    for passage, (begun, ended) in zip(task.passages, pairwise(moments), strict=True):
        waits = passage.holder == HUMAN and passage.stage is not Stage.CLOSED
        stage = Stage.SIGN_OFF if waits else passage.stage
        beside = passage.stage is Stage.CONSULT or (waits and passage.stage is not Stage.SIGN_OFF)
        if stage is not present and (beside or stage is not station):
            visits[stage] = visits.get(stage, 0) + 1
        spent[stage] = spent.get(stage, 0.0) + ended - begun
        present, station = stage, station if beside else stage
    return tuple(
        StageTime(stage, seconds, visits[stage], stage is present)
        for stage, seconds in spent.items()
        if stage is not Stage.CLOSED
    )


def chain(task: Task, blocks: Sequence[Block]) -> str:
    """Return the digest of all blocks of ``task`` that are among ``blocks``: a sign-off is bound to it."""
    digests = (blocks[index].digest for index in task.blocks if index < len(blocks))
    return hashlib.blake2b("\n".join(digests).encode(), digest_size=12).hexdigest()


def _held(since: float, until: float) -> float | None:
    return max(0.0, until - since) if since > 0 and until > 0 else None


def _moments(walls: Sequence[float], now_wall: float) -> list[float]:
    """Return ``walls`` and the present so that none is before the one before it, nor later than the present.

    One that is not known is as the one before it; those before the first that is known, as that.
    """
    latest = min(next((wall for wall in walls if wall > 0), now_wall), now_wall)
    moments = []
    for wall in (*walls, now_wall):
        latest = max(latest, min(wall, now_wall))
        moments.append(latest)
    return moments
