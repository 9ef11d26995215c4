"""Which task the person means, and the order in which tasks are shown."""

from __future__ import annotations

from collections.abc import Sequence

from teamops.model.handoff import Block, Task
from teamops.model.role import HUMAN
from teamops.model.snapshot import LightView, Snapshot
from teamops.tui import words

NAMELESS = "(no task named)"


def key_of(name: str | None) -> str:
    """Return what a task's name is compared by: its case does not matter."""
    return (name or "").lower()


def shown(name: str | None) -> str:
    """Return a task's name for a person."""
    return name or NAMELESS


def find_task(snapshot: Snapshot, name: str | None) -> Task | None:
    """Return the task of that name, or ``None`` where there is none (any more)."""
    wanted = key_of(name)
    # From the newest on: what a person means is rarely the oldest of ten thousand.
    return next((task for task in reversed(snapshot.tasks) if key_of(task.task) == wanted), None)


def find_light(snapshot: Snapshot, name: str | None) -> LightView | None:
    """Return the light of the task of that name, or ``None`` where it is closed."""
    wanted = key_of(name)
    return next((light for light in snapshot.lights if key_of(light.task) == wanted), None)


def in_order(snapshot: Snapshot) -> list[Task]:
    """Return all tasks: open ones by urgency, then the closed ones, the last closed first."""
    return _by_urgency(snapshot, snapshot.tasks)


def _by_urgency(snapshot: Snapshot, tasks: Sequence[Task]) -> list[Task]:
    urgency = {key_of(light.task): place for place, light in enumerate(words.by_urgency(snapshot.lights))}
    last = len(urgency)
    return sorted(
        tasks,
        key=lambda task: (not task.open, urgency.get(key_of(task.task), last), -(task.blocks or (0,))[-1]),
    )


def first_task(snapshot: Snapshot) -> Task | None:
    """Return the task that most needs its person; ``None`` where there is none at all."""
    # Asked for with each snapshot: a long list of closed tasks is not put in order for it.
    lit = next(iter(words.by_urgency(snapshot.lights)), None)
    task = find_task(snapshot, lit.task) if lit is not None else None
    return task or next(iter(in_order(snapshot)), None)


def awaits_sign_off(snapshot: Snapshot) -> list[Task]:
    """Return the open tasks whose light the person holds."""
    held = (find_task(snapshot, light.task) for light in snapshot.lights if light.role == HUMAN)
    return _by_urgency(snapshot, [task for task in held if task is not None and task.open and task.turn == HUMAN])


def blocks_of(snapshot: Snapshot, task: Task) -> list[Block]:
    """Return the task's blocks, oldest first."""
    return [snapshot.blocks[index] for index in task.blocks if index < len(snapshot.blocks)]


def fingerprint(snapshot: Snapshot, task: Task | None) -> object:
    """Return a value that differs once a block of the task, its light or what is wrong with it has changed."""
    if task is None:
        return None
    own = key_of(task.task)
    findings = tuple(one for one in snapshot.findings if key_of(one.task) == own)
    return task, tuple(block.digest for block in blocks_of(snapshot, task)), findings


def names(tasks: Sequence[Task], most: int = 3) -> str:
    """Return some tasks' names in one line."""
    listed = ", ".join(shown(task.task) for task in tasks[:most])
    return listed if len(tasks) <= most else f"{listed} and {len(tasks) - most} more"
