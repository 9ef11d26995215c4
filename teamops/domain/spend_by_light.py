"""What each handoff and each task cost: an agent's usage belongs to the light that it held at that moment.

Of several lights in one hand the one that came last has it: that is what the agent was told of last. What an agent used
without a light, and what nobody of the team used, is told apart: nothing is lost, and nothing counts twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import heappop, heappush
from itertools import pairwise

from teamops.domain import timeline
from teamops.model.handoff import Block, Stage, Task
from teamops.model.role import HUMAN, NONE, Role
from teamops.model.spend import BlockSpend, Spend, TaskSpend
from teamops.model.usage import Tokens

_EVER = float("inf")


@dataclass(frozen=True, slots=True)
class Held:
    """One light in one hand, from one handoff to the next."""

    role: Role
    since_wall: float
    """Unix seconds."""
    until_wall: float | None
    """When it went on; ``None``: it is still there."""
    task: str | None
    handoff: str
    """Digest of the block that gave it."""


@dataclass(frozen=True, slots=True)
class Used:
    """What one response, or a sum of some at one moment, used."""

    role: Role | None
    """Whose it is; ``None``: nobody's of the team."""
    wall: float
    tokens: Tokens
    cost_usd: Decimal | None
    """``None``: no price is known."""
    responses: int = 1


@dataclass(frozen=True, slots=True)
class LightSpend:
    """All usage, in parts that add up to it."""

    handoffs: dict[Held, Spend]
    """By the light, for those under which something was used."""
    without_light: dict[Role, Spend]
    """What agents used while they held no light."""
    strangers: Spend
    """What nobody of the team used."""

    def tasks(self) -> dict[str | None, Spend]:
        """Return what each task cost: its handoffs together."""
        return _summed((held.task, spend) for held, spend in self.handoffs.items())

    def total(self) -> Spend:
        """Return everything."""
        return sum((*self.handoffs.values(), *self.without_light.values(), self.strangers), Spend())


@dataclass(frozen=True, slots=True)
class Stretch:
    """One light from one block of its task to the next."""

    held: Held
    stage: Stage
    given: int
    """Index of the block from which on it was held."""
    ended: int | None
    """Index of the task's next block; ``None``: there is none yet."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A time in which all that a role used belongs to one light, or to none."""

    role: Role
    since_wall: float
    until_wall: float
    """Not in it. Infinite, as ``since_wall`` may be: the segments of a role cover all times."""
    held: Held | None


def moments(blocks: Sequence[Block], seen: Mapping[str, float], cap: float) -> list[float]:
    """Return when each block was there, Unix seconds: when teamops saw it come, else as its heading says.

    ``seen``: the first by digest. ``cap``: whatever a heading says, a block that nobody saw come was there by then.
    """
    return [
        min(timeline.heading_wall(block.at), cap) if (wall := seen.get(block.digest)) is None else wall
        for block in blocks
    ]


def stretches(task: Task, blocks: Sequence[Block], walls: Sequence[float]) -> list[Stretch]:
    """Return who held the light of ``task`` when, by its passages; ``walls``: when each of ``blocks`` was there.

    The person's own are left out. A heading's time has the grain of a minute and may go back: a light never goes on
    before it came. A block that may still be in writing moves nothing.
    """
    found: list[Stretch] = []
    moment = 0.0
    coming = list(reversed(task.passages))
    stage, holder = Stage.DESIGN, None
    before: tuple[Role, Stage, float, int] | None = None
    for index in task.blocks:
        if not blocks[index].complete:
            continue
        moment = max(moment, walls[index])
        if before is not None:
            found.append(_stretch(task, blocks, before, (moment, index)))
        while coming and coming[-1].index <= index:
            passage = coming.pop()
            stage, holder = passage.stage, passage.holder
        before = None if holder is None or holder in (HUMAN, NONE) else (holder, stage, moment, index)
    if before is not None:
        found.append(_stretch(task, blocks, before, None))
    return found


def _stretch(
    task: Task, blocks: Sequence[Block], begun: tuple[Role, Stage, float, int], ended: tuple[float, int] | None
) -> Stretch:
    role, stage, since, given = begun
    until = ended[0] if ended is not None else None
    held = Held(role, since, until, task.task, blocks[given].digest)
    return Stretch(held, stage, given, ended[1] if ended is not None else None)


def lights_of(tasks: Iterable[Task], blocks: Sequence[Block], walls: Sequence[float]) -> list[Held]:
    """Return who held which light when, of all tasks. See ``stretches``."""
    return [one.held for task in tasks for one in stretches(task, blocks, walls)]


def task_spend(
    found: Iterable[Stretch], used: Mapping[Held, Spend], blocks: Sequence[Block], seen: Collection[str]
) -> TaskSpend:
    """Return what a task cost; ``found``: its stretches, ``seen``: the digests of blocks that teamops saw come."""
    ended: dict[int, BlockSpend] = {}
    now = None
    for one in found:
        edges = [one.given] if one.ended is None else [one.given, one.ended]
        exact = all(blocks[index].digest in seen for index in edges)
        part = BlockSpend(one.held.role, one.stage, used.get(one.held, Spend()), exact)
        if one.ended is None:
            now = part
        else:
            ended[one.ended] = part
    return TaskSpend(ended, now)


class Lights:
    """Who held which light when: all times of each role in segments.

    Of several lights in one hand the one that came last has it; of those that came at once, the last one in ``lights``.
    """

    def __init__(self, lights: Iterable[Held] = ()) -> None:
        self.held = tuple(sorted(lights, key=lambda one: one.since_wall))
        """All of them, in the order in which they came."""
        hands: dict[Role, list[Held]] = {}
        for held in self.held:
            hands.setdefault(held.role, []).append(held)
        self._segments = {role: _segments(role, hand) for role, hand in hands.items()}
        self._begins = {role: [one.since_wall for one in found] for role, found in self._segments.items()}

    def segments(self, role: Role) -> Sequence[Segment]:
        """Return all times of ``role``, in order and without a gap."""
        return self._segments.get(role) or (Segment(role, -_EVER, _EVER, None),)

    @property
    def roles(self) -> tuple[Role, ...]:
        """All who ever held a light."""
        return tuple(self._segments)

    def segment_at(self, role: Role, wall: float) -> Segment:
        """Return the segment of ``role`` in which ``wall`` lies."""
        begins = self._begins.get(role)
        return self.segments(role)[bisect_right(begins, wall) - 1 if begins else 0]

    def at(self, role: Role, wall: float) -> Held | None:
        """Return the light that came last of those that ``role`` held at ``wall``, or ``None``."""
        return self.segment_at(role, wall).held


def _segments(role: Role, hand: Sequence[Held]) -> tuple[Segment, ...]:
    """Return the times of ``role``; ``hand``: its lights, in the order in which they came."""
    edges = sorted({edge for one in hand for edge in (one.since_wall, one.until_wall) if edge is not None})
    open_: list[tuple[int, Held]] = []
    coming = 0
    found = [Segment(role, -_EVER, edges[0], None)]
    for begins, ends in pairwise([*edges, _EVER]):
        while coming < len(hand) and hand[coming].since_wall <= begins:
            heappush(open_, (-coming, hand[coming]))  # the last that came is the first one here
            coming += 1
        while open_ and (until := open_[0][1].until_wall) is not None and until <= begins:
            heappop(open_)
        found.append(Segment(role, begins, ends, open_[0][1] if open_ else None))
    return tuple(found)


def spend_by_light(used: Iterable[Used], lights: Lights) -> LightSpend:
    """Return what was used under each of ``lights``, and what under none."""
    handoffs: dict[Held, Spend] = {}
    without: dict[Role, Spend] = {}
    strangers = Spend()
    for one in used:
        priced = one.cost_usd is not None
        spend = Spend(one.responses, one.tokens, one.cost_usd or Decimal(0), 0 if priced else one.tokens.total)
        light = lights.at(one.role, one.wall) if one.role is not None else None
        if light is not None:
            handoffs[light] = handoffs.get(light, Spend()) + spend
        elif one.role is not None:
            without[one.role] = without.get(one.role, Spend()) + spend
        else:
            strangers += spend
    return LightSpend(handoffs, without, strangers)


def _summed(parts: Iterable[tuple[str | None, Spend]]) -> dict[str | None, Spend]:
    sums: dict[str | None, Spend] = {}
    for name, spend in parts:
        sums[name] = sums.get(name, Spend()) + spend
    return sums
