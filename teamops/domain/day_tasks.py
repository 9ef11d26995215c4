"""What became of the tasks in a span of time: read from their blocks, as they were handed on, up to its end.

No fact of it was stored when it happened: rounds, stages and tiers are read anew from the blocks whose texts the ledger
keeps, archived ones too, by the same rules that the screen asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from teamops.domain import timeline
from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.domain.verdicts import Verdict, verdict_of
from teamops.model.day_report import TaskDay
from teamops.model.handoff import Block, Stage, Task
from teamops.model.protocol import StageTime
from teamops.model.role import DIRECTOR, HUMAN, IMPLEMENTERS, REVIEWER


def task_days(
    blocks: Sequence[Block], walls: Sequence[float], since: float, until: float, limits: Limits
) -> tuple[TaskDay, ...]:
    """Return the tasks that had a block within the span, and those that were open at its end, by their first block.

    ``blocks``: of each task all, oldest first; ``walls``: when each was there.
    """
    dated = _dated(blocks, walls)
    known, moments = _up_to(dated, until)
    tasks = read(known, limits).tasks
    rounds_before = {_key(task): task.rounds for task in read(_up_to(dated, since)[0], limits).tasks}
    found = []
    for task in tasks:
        own = [index for index in task.blocks if moments[index] >= since]
        if own or task.open:
            rounds = task.rounds - rounds_before.get(_key(task), 0)
            found.append(_task_day(task, known, moments, own, (since, until), rounds))
    return tuple(found)


def _task_day(
    task: Task,
    blocks: Sequence[Block],
    moments: Sequence[float],
    own: Sequence[int],
    span: tuple[float, float],
    rounds: int,
) -> TaskDay:
    since, until = span
    closed = None if task.open else moments[task.passages[-1].index]
    waits = task.open and task.turn == HUMAN
    asked = [blocks[index] for index in own if blocks[index].role in (REVIEWER, HUMAN)]
    return TaskDay(
        task=task.task,
        tier=task.tier,
        stage=task.stage,
        standing=task.standing,
        open=task.open,
        closed_wall=closed if closed is not None and closed >= since else None,
        waits_since=moments[task.since_index] if waits else None,
        sign_off=waits and task.stage is Stage.SIGN_OFF,
        rounds=rounds,
        blocks=len(own),
        challenges=sum(_points(block) for block in asked),
        catches=sum(_points(block) for block in asked if _sends_back(block)),
        answered=sum(len(blocks[index].responses) for index in own if blocks[index].role in (DIRECTOR, HUMAN)),
        stages=_stages(task, blocks, moments, since, until),
    )


def _stages(
    task: Task, blocks: Sequence[Block], moments: Sequence[float], since: float, until: float
) -> tuple[StageTime, ...]:
    """Return what a task has spent in each stage within the span: until its end, less until its beginning."""
    before = {one.stage: one.seconds for one in timeline.stage_times(task, blocks, moments, since)}
    within = [
        replace(one, seconds=one.seconds - before.get(one.stage, 0.0))
        for one in timeline.stage_times(task, blocks, moments, until)
    ]
    return tuple(one for one in within if one.seconds > 0)


def _points(block: Block) -> int:
    return len(block.challenges.points) if block.challenges is not None else 0


def _sends_back(block: Block) -> bool:
    return block.role not in IMPLEMENTERS and verdict_of(block.verdict or "") is Verdict.BACK


Dated = list[tuple[Block, float]]


def _dated(blocks: Sequence[Block], walls: Sequence[float]) -> Dated:
    """Return each block with its moment; within a task no block is older than the one before it."""
    latest: dict[str, float] = {}
    found: Dated = []
    for place, block in enumerate(blocks):
        key = (block.task or "").lower()
        latest[key] = max(latest.get(key, 0.0), walls[place])
        found.append((block, latest[key]))
    return found


def _up_to(dated: Iterable[tuple[Block, float]], until: float) -> tuple[list[Block], list[float]]:
    kept = [(block, wall) for block, wall in dated if wall < until]
    return [replace(block, index=index) for index, (block, _) in enumerate(kept)], [wall for _, wall in kept]


def _key(task: Task) -> str:
    return (task.task or "").lower()
