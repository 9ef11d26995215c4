"""What each light, block and task of a recorded day had cost at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, nextafter
from pathlib import Path
from types import MappingProxyType

from teamops.domain.replay import Uses
from teamops.domain.spend_by_light import Held, Lights, Segment, Stretch, moments, stretches, task_spend
from teamops.ledger.peek import look_into
from teamops.ledger.recorded import Recorded
from teamops.ledger.recorded_day import BEFORE_S
from teamops.model.handoff import Task
from teamops.model.role import Role
from teamops.model.spend import Spend, TaskSpend
from teamops.supervisor.replay_file import RecordedFile, Version

_NO_USES = Uses()


@dataclass(frozen=True, slots=True)
class _Shares:
    """Who held which light in one version of the file."""

    stretches: Mapping[str, list[Stretch]]
    """By task in lower case."""
    lights: Lights
    ended: Mapping[int, Held]
    """By the index of the block that ended it."""


class LightCosts:
    """Sums of one day. May be asked from any thread; what lies before the day is read from the ledger, once."""

    def __init__(self, path: Path, facts: Recorded, file: RecordedFile) -> None:
        self._path = path
        self._facts = facts
        self._file = file
        self._known_from = facts.since_wall - BEFORE_S
        self._earlier: dict[tuple[Role, float, float], Spend] = {}
        self._shares: dict[int, _Shares] = {}
        self._lit: dict[str, float] = {}
        for (_, digest, _), wall in facts.lit.items():
            self._lit[digest] = min(wall, self._lit.get(digest, wall))
        unseen = [block.came for block in facts.trail.blocks if block.wall is None]
        self._cap = min(unseen, default=facts.since_wall)

    def lights(self, version: Version) -> Lights:
        """Return who held which light when."""
        return self._of(version).lights

    def blocks(self, version: Version, wall: float) -> Mapping[int, Spend]:
        """Return what was used under the light that each block ended, by its index; nothing where nothing was."""
        shares = self._of(version)
        found = {index: self._used(shares, held, wall) for index, held in shares.ended.items()}
        return MappingProxyType({index: spend for index, spend in found.items() if spend.responses})

    def light(self, version: Version, task: Task, wall: float) -> Spend:
        """Return what the holder of a task's light has used since it came."""
        shares = self._of(version)
        found = shares.stretches.get(_key(task), ())
        return sum((self._used(shares, one.held, wall) for one in found if one.given >= task.since_index), Spend())

    def task(self, version: Version, task: Task, wall: float) -> TaskSpend:
        """Return what a task cost."""
        shares = self._of(version)
        found = shares.stretches.get(_key(task), [])
        used = {one.held: self._used(shares, one.held, wall) for one in found}
        return task_spend(found, used, version.handoff.blocks, self._file.walls)

    def _of(self, version: Version) -> _Shares:
        known = self._shares.get(id(version))
        if known is None:
            blocks = version.handoff.blocks
            walls = moments(blocks, self._file.walls, self._cap, self._lit)
            found = {_key(task): stretches(task, blocks, walls) for task in version.tasks}
            every = [one for parts in found.values() for one in parts]
            ended = {one.ended: one.held for one in every if one.ended is not None}
            known = self._shares[id(version)] = _Shares(found, Lights(one.held for one in every), ended)
        return known

    def _used(self, shares: _Shares, held: Held, wall: float) -> Spend:
        return sum((self._within(segment, wall) for segment in shares.lights.segments_of(held)), Spend())

    def _within(self, segment: Segment, wall: float) -> Spend:
        until = min(segment.until_wall, nextafter(wall, inf))
        if segment.since_wall >= until:
            return Spend()
        found = Spend()
        if segment.since_wall < self._known_from:
            found = self._before(segment.role, segment.since_wall, min(until, self._known_from))
        uses = self._facts.money.uses.get(segment.role, _NO_USES)
        since = max(segment.since_wall, self._known_from)
        return found + uses.spend(since, nextafter(until, -inf)) if since < until else found

    def _before(self, role: Role, since: float, until: float) -> Spend:
        key = (role, since, until)
        known = self._earlier.get(key)
        if known is None:
            with look_into(self._path) as look:
                known = Spend() if look is None else look.spent.sum(role, since, until)
            self._earlier[key] = known
        return known


def _key(task: Task) -> str:
    return (task.task or "").lower()
