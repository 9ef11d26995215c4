"""What a project's tasks cost, by its files and its ledger alone: for commands that run without a supervisor."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from teamops.config.settings import Settings
from teamops.domain.protocol import read
from teamops.domain.spend_by_light import Held, Lights, Stretch, moments, stretches, task_spend
from teamops.handoff import ROLES, parse
from teamops.ledger.peek import Look, look_into
from teamops.ledger.spent import Spent
from teamops.model.handoff import Block, Task
from teamops.model.spend import Spend, TaskSpend
from teamops.supervisor.archives import Archives


def task_costs(
    ledger: Path, settings: Settings, tasks: Sequence[Task], blocks: Sequence[Block]
) -> dict[str, TaskSpend]:
    """Return what each of ``tasks``, all of the file's, cost, by its name in lower case; nothing without a ledger.

    Raises ``LedgerError``.
    """
    with look_into(ledger) as look:
        if look is None:
            return {}
        seen, found, lights = _lights(look, settings, tasks, blocks)
        used = used_under(lights, look.spent)
        return {key: task_spend(parts, used, blocks, seen) for key, parts in found.items()}


def project_lights(ledger: Path, settings: Settings) -> tuple[Held, ...]:
    """Return who held which light of the project when, archived ones too.

    Of a file that can't be read none is known: what was used under them counts as without one. Raises ``LedgerError``.
    """
    try:
        data = settings.handoff.read_bytes()
    except OSError:
        data = b""
    blocks = parse(data, {*ROLES, *(role.role for role in settings.roles)}).blocks
    tasks = read(blocks, settings.limits).tasks
    with look_into(ledger) as look:
        if look is None:
            walls = moments(blocks, {}, time.time())
            held = [one.held for task in tasks for one in stretches(task, blocks, walls)]
            return (*Archives(settings).lights(0.0, {}, time.time()), *held)
        return tuple(_lights(look, settings, tasks, blocks, since_wall=0.0)[2].held)


def _lights(
    look: Look, settings: Settings, tasks: Iterable[Task], blocks: Sequence[Block], since_wall: float | None = None
) -> tuple[Mapping[str, float], dict[str, list[Stretch]], Lights]:
    lit, walls_ = look.spent.lit(), look.audit.walls()
    # A block that is not stored yet was seen when its light was: nobody else knows.
    seen = {**lit, **{digest: min(wall, lit.get(digest, wall)) for digest, wall in walls_.items()}}
    adopted = look.audit.adopted_wall()
    cap = time.time() if adopted is None else adopted
    walls = moments(blocks, seen, cap)
    found = {(task.task or "").lower(): stretches(task, blocks, walls) for task in tasks}
    held = [one.held for parts in found.values() for one in parts]
    first = min((one.since_wall for one in held), default=cap) if since_wall is None else since_wall
    return seen, found, Lights([*Archives(settings).lights(first, seen, cap), *held])


def used_under(lights: Lights, spent: Spent) -> dict[Held, Spend]:
    """Return what was used under each light."""
    used: dict[Held, Spend] = {}
    for role in lights.roles:
        for segment in lights.segments(role):
            if segment.held is not None:
                part = spent.sum(role, segment.since_wall, segment.until_wall)
                used[segment.held] = used.get(segment.held, Spend()) + part
    return used
