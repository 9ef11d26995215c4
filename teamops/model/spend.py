"""What was used, in sums: of a light, of a task, of an agent's cycles."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct, field

from teamops.model.handoff import Stage
from teamops.model.role import Role
from teamops.model.usage import Tokens


class Spend(Struct, frozen=True):
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

    def __sub__(self, other: Spend) -> Spend:
        return Spend(
            self.responses - other.responses,
            self.tokens - other.tokens,
            self.cost_usd - other.cost_usd,
            self.unpriced_tokens - other.unpriced_tokens,
        )


class BlockSpend(Struct, frozen=True):
    """What was used under one light, from the block that gave or kept it to the next one of its task."""

    role: Role
    """Who held it."""
    stage: Stage
    spend: Spend
    exact: bool
    """Both ends are moments at which teamops saw a block come; otherwise they are as good as the headings' minutes."""


class TaskSpend(Struct, frozen=True):
    """What one task cost, in parts that add up to it: what its lights' holders used while they held them."""

    blocks: dict[int, BlockSpend]
    """By the index of the block that ended each of its lights."""
    now: BlockSpend | None
    """Under the light as it is now, since the last block; ``None``: no agent holds it."""

    @property
    def parts(self) -> tuple[BlockSpend, ...]:
        """All its parts, oldest first."""
        return (*self.blocks.values(), self.now) if self.now is not None else tuple(self.blocks.values())

    @property
    def total(self) -> Spend:
        """The whole task."""
        return sum((part.spend for part in self.parts), Spend())

    @property
    def by_role(self) -> dict[Role, Spend]:
        """The parts by who used them, in the order in which they came."""
        sums: dict[Role, Spend] = {}
        for part in self.parts:
            sums[part.role] = sums.get(part.role, Spend()) + part.spend
        return sums

    @property
    def by_stage(self) -> dict[Stage, Spend]:
        """The parts by what they were used for, in the order in which they came."""
        sums: dict[Stage, Spend] = {}
        for part in self.parts:
            sums[part.stage] = sums.get(part.stage, Spend()) + part.spend
        return sums

    @property
    def exact(self) -> bool:
        """All its parts have exact ends."""
        return all(part.exact for part in self.parts)


class CycleCost(Struct, frozen=True, kw_only=True):
    """What an agent's cycles cost: those that used something, but not the one that runs."""

    count: int
    """So many are summed up here: the last ones."""
    last: Spend
    last_wall: float
    """When the last one began, Unix seconds."""
    median_usd: Decimal
    """Of those that are priced."""
    mean_usd: Decimal
    median_tokens: int
    mean_tokens: int
    unpriced: int
    """So many of them have tokens without a known price; they are in no sum of dollars."""
