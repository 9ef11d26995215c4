"""What each handoff and each task cost: an agent's usage belongs to the light that it held at that moment.

Of several lights in one hand the one that came last has it: that is what the agent was told of last. What an agent used
without a light, and what nobody of the team used, is told apart: nothing is lost, and nothing counts twice.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from teamops.model.handoff import Block, Task
from teamops.model.role import HUMAN, NONE, Role
from teamops.model.usage import Tokens


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
class Spend:
    """A sum."""

    responses: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    cost_usd: Decimal = Decimal(0)
    """Of what has a price."""
    unpriced_tokens: int = 0

    def __add__(self, other: Spend) -> Spend:
        return Spend(
            self.responses + other.responses,
            self.tokens + other.tokens,
            self.cost_usd + other.cost_usd,
            self.unpriced_tokens + other.unpriced_tokens,
        )


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


def lights_of(tasks: Iterable[Task], blocks: Sequence[Block], walls: Sequence[float]) -> list[Held]:
    """Return who held which light when, without the person's own; ``walls``: when each of ``blocks`` was there.

    A heading's time has the grain of a minute and may go back: a light never goes on before it came.
    """
    lights: list[Held] = []
    for task in tasks:
        moment = 0.0
        before: tuple[Role, float, str] | None = None
        for index in task.blocks:
            moment = max(moment, walls[index])
            if before is not None:
                lights.append(Held(before[0], before[1], moment, task.task, before[2]))
            turn = blocks[index].turn
            before = None if turn is None or turn in (HUMAN, NONE) else (turn, moment, blocks[index].digest)
        if before is not None:
            lights.append(Held(before[0], before[1], None, task.task, before[2]))
    return lights


class Lights:
    """Who held which light when."""

    def __init__(self, lights: Iterable[Held]) -> None:
        self._hands: dict[Role, list[Held]] = {}
        for held in sorted(lights, key=lambda one: one.since_wall):
            self._hands.setdefault(held.role, []).append(held)

    def at(self, role: Role, wall: float) -> Held | None:
        """Return the light that came last of those that ``role`` held at ``wall``, or ``None``."""
        hand = self._hands.get(role, [])
        for place in range(bisect_right(hand, wall, key=lambda held: held.since_wall) - 1, -1, -1):
            held = hand[place]
            if held.until_wall is None or wall < held.until_wall:
                return held
        return None


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
