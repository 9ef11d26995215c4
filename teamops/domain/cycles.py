"""What a cycle of an agent costs: the interval between two of its own beats, or ten seconds of a client's log."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import median

from teamops.domain.usual import CYCLE_S
from teamops.model.spend import CycleCost, Spend

LAST = 50
"""So many cycles are summed up."""


def slice_of(wall: float) -> float:
    """Return where the cycle begins in which a client's response at ``wall`` lies."""
    return wall // CYCLE_S * CYCLE_S


def cycle_cost(cycles: Sequence[tuple[float, Spend]]) -> CycleCost | None:
    """Return what the last of ``cycles`` cost; ``None`` where there are none.

    ``cycles``: (when it began, what it used), oldest first, without the one that runs.
    """
    told = cycles[-LAST:]
    if not told:
        return None
    priced = [spend.cost_usd for _, spend in told if not spend.unpriced_tokens]
    tokens = [spend.tokens.total for _, spend in told]
    return CycleCost(
        count=len(told),
        last=told[-1][1],
        last_wall=told[-1][0],
        median_usd=median(priced) if priced else Decimal(0),
        mean_usd=sum(priced, Decimal(0)) / len(priced) if priced else Decimal(0),
        median_tokens=int(median(tokens)),
        mean_tokens=sum(tokens) // len(tokens),
        unpriced=len(told) - len(priced),
    )
