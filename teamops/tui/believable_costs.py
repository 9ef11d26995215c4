"""What the believable team's handoffs and cycles cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from teamops.model.handoff import Block, Stage
from teamops.model.role import HUMAN
from teamops.model.spend import BlockSpend, CycleCost, Spend, TaskSpend
from teamops.model.usage import Tokens


def believable_spend(index: int) -> Spend:
    """Return what was used for a block: always the same for its index. Every ninth has a model without a price."""
    if index % 9 == 5:
        return Spend(4, Tokens(input=900, output=1_700), Decimal(0), 2_600)
    tokens = Tokens(input=300 + 71 * index, output=900 + 257 * index, cache_read=40_000 + 9_100 * (index % 7))
    return Spend(3 + index % 11, tokens, tokens.total * Decimal("0.0000031"))


def believable_spent(blocks: Sequence[Block]) -> dict[int, Spend]:
    """Return what was used under the light that each block ended."""
    begun: set[str | None] = set()
    spent = {}
    for block in blocks:
        if block.task in begun and block.role != HUMAN:
            spent[block.index] = believable_spend(block.index)
        begun.add(block.task)
    return spent


def believable_task_spend(
    blocks: Sequence[Block], stages: Sequence[Stage], now: Spend | None, stage: Stage
) -> TaskSpend:
    """Return what a task cost; ``stages``: of its ``blocks``, ``now``: under its light, at ``stage``."""
    ended = {
        block.index: BlockSpend(block.role, at, believable_spend(block.index), exact=True)
        for block, at in list(zip(blocks, stages, strict=True))[1:]
        if block.role != HUMAN
    }
    turn = blocks[-1].turn if blocks else None
    present = None if now is None or turn is None else BlockSpend(turn, stage, now, exact=True)
    return TaskSpend(ended, present)


def believable_cycle(count: int, dollars: str, *, unpriced: int = 0) -> CycleCost:
    """Return what an agent's cycles cost."""
    usual = Decimal(dollars)
    last = Spend(2, Tokens(input=1_200, output=800, cache_read=31_000), usual * 2)
    return CycleCost(
        count=count,
        last=last,
        last_wall=0.0,
        median_usd=usual,
        mean_usd=usual * Decimal("1.4"),
        median_tokens=14_200,
        mean_tokens=19_800,
        unpriced=unpriced,
    )
