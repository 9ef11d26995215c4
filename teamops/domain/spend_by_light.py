"""What each handoff and each task cost: an agent's usage belongs to the light that it held at that moment.

Of several lights in one hand the one that came last has it: that is what the agent was told of last. What an agent used
without a light, and what nobody of the team used, is told apart: nothing is lost, and nothing counts twice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from heapq import heappop, heappush
from itertools import chain, pairwise
from typing import overload

from msgspec import Struct
from msgspec.structs import replace

from teamops.domain import timeline
from teamops.model.handoff import Block, Stage, Task
from teamops.model.role import HUMAN, NONE, Role
from teamops.model.spend import BlockSpend, Spend, TaskSpend
from teamops.model.usage import Tokens

_EVER = float("inf")


class Held(Struct, frozen=True):
    """One light in one hand, from one handoff to the next."""

    role: Role
    since_wall: float
    """Unix seconds."""
    until_wall: float | None
    """When it went on; ``None``: it is still there."""
    task: str | None
    handoff: str
    """Digest of the block that gave it."""
    place: int = 0
    """Of that block in its file: of two that were seen at once the later one came last."""


class Used(Struct, frozen=True):
    """What one response, or a sum of some at one moment, used."""

    role: Role | None
    """Whose it is; ``None``: nobody's of the team."""
    wall: float
    tokens: Tokens
    cost_usd: Decimal | None
    """``None``: no price is known."""
    responses: int = 1


class LightSpend(Struct, frozen=True):
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


class Stretch(Struct, frozen=True):
    """One light from one block of its task to the next."""

    held: Held
    stage: Stage
    given: int
    """Index of the block from which on it was held."""
    ended: int | None
    """Index of the task's next block; ``None``: there is none yet."""


class Segment(Struct, frozen=True):
    """A time in which all that a role used belongs to one light, or to none."""

    role: Role
    since_wall: float
    until_wall: float
    """Not in it. Infinite, as ``since_wall`` may be: the segments of a role cover all times."""
    held: Held | None


def moments(
    blocks: Sequence[Block], seen: Mapping[str, float], cap: float, lit: Mapping[str, float] | None = None
) -> Sequence[float]:
    """Return when each block was there, Unix seconds: when teamops saw it come, else as its heading says.

    ``seen``: the first by digest, and ``lit``, where its light was seen earlier. ``cap``: whatever a heading says, a
    block that nobody saw come was there by then. Costs nothing but for the blocks that are looked up.
    """
    return _Moments(blocks, seen, cap, lit or {})


class _Moments(Sequence[float]):
    def __init__(
        self, blocks: Sequence[Block], seen: Mapping[str, float], cap: float, lit: Mapping[str, float]
    ) -> None:
        self._blocks = blocks
        self._seen = seen
        self._cap = cap
        self._lit = lit

    def __len__(self) -> int:
        return len(self._blocks)

    @overload
    def __getitem__(self, index: int) -> float: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[float]: ...

    def __getitem__(self, index: int | slice) -> float | Sequence[float]:
        if isinstance(index, slice):
            return _Moments(self._blocks[index], self._seen, self._cap, self._lit)
        block = self._blocks[index]
        wall = self._seen.get(block.digest)
        if wall is None:
            return min(timeline.heading_wall(block.at), self._cap)
        return min(wall, self._lit.get(block.digest, wall))


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
    held = Held(role, since, until, task.task, blocks[given].digest, given)
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

    Of several lights in one hand the one that came last has it.
    """

    def __init__(self, lights: Iterable[Held] = ()) -> None:
        self._hands: dict[Role, list[Held]] = {}
        """Of each role, in the order in which they came."""
        for held in sorted(lights, key=_came):
            self._hands.setdefault(held.role, []).append(held)
        self._segments = {role: _segments(role, hand) for role, hand in self._hands.items()}
        self._begins = {role: [one.since_wall for one in found] for role, found in self._segments.items()}

    @property
    def held(self) -> tuple[Held, ...]:
        """All of them, in the order in which they came."""
        return tuple(sorted(chain.from_iterable(self._hands.values()), key=_came))

    @property
    def roles(self) -> tuple[Role, ...]:
        """All who ever held a light."""
        return tuple(self._segments)

    def segments(self, role: Role) -> Sequence[Segment]:
        """Return all times of ``role``, in order and without a gap."""
        return self._segments.get(role) or (Segment(role, -_EVER, _EVER, None),)

    def segment_at(self, role: Role, wall: float) -> Segment:
        """Return the segment of ``role`` in which ``wall`` lies."""
        return self.segments(role)[self._place(role, wall)]

    def segments_of(self, held: Held) -> Iterator[Segment]:
        """Give the segments that belong to ``held``."""
        segments = self.segments(held.role)
        for place in range(self._place(held.role, held.since_wall), len(segments)):
            segment = segments[place]
            if held.until_wall is not None and segment.since_wall >= held.until_wall:
                return
            if segment.held == held:
                yield segment

    def at(self, role: Role, wall: float) -> Held | None:
        """Return the light that came last of those that ``role`` held at ``wall``, or ``None``."""
        return self.segment_at(role, wall).held

    def change(self, gone: Collection[Held], come: Collection[Held]) -> tuple[list[Segment], list[Segment]]:
        """Take ``gone`` away and ``come`` in; return the segments that are no more, and those that are new.

        Only what is not older than these is gone through again.
        """
        dropped: list[Segment] = []
        new: list[Segment] = []
        for role in dict.fromkeys(one.role for one in (*gone, *come)):
            left = [one for one in gone if one.role == role]
            right = [one for one in come if one.role == role]
            first = min(one.since_wall for one in (*left, *right))
            hand = self._hands.setdefault(role, [])
            at = bisect_left(hand, first, key=lambda one: one.since_wall)
            later = sorted([*(one for one in hand[at:] if one not in left), *right], key=_came)
            over = [one for one in hand[:at] if one.until_wall is None or one.until_wall > first]
            known = self._segments.setdefault(role, [Segment(role, -_EVER, _EVER, None)])
            begins = self._begins.setdefault(role, [-_EVER])
            place = self._place(role, first)
            begun = known[place].since_wall
            made = [one for one in _segments(role, [*over, *later]) if one.until_wall > first]
            if begun < first:
                made[0] = replace(made[0], since_wall=first)
                made.insert(0, replace(known[place], until_wall=first))
            else:
                made[0] = replace(made[0], since_wall=begun)
            dropped += known[place:]
            new += made
            hand[at:], known[place:], begins[place:] = later, made, [one.since_wall for one in made]
        return dropped, new

    def _place(self, role: Role, wall: float) -> int:
        begins = self._begins.get(role)
        return max(0, bisect_right(begins, wall) - 1) if begins else 0


def _came(held: Held) -> tuple[float, int]:
    return held.since_wall, held.place


def _segments(role: Role, hand: Sequence[Held]) -> list[Segment]:
    """Return the times of ``role``; ``hand``: its lights, in the order in which they came."""
    edges = sorted({edge for one in hand for edge in (one.since_wall, one.until_wall) if edge is not None})
    if not edges:
        return [Segment(role, -_EVER, _EVER, None)]
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
    return found


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
