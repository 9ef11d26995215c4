"""What the ledger tells, as frozen rows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from teamops.model.actions import Action


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of one role."""

    wall: float
    """Unix seconds at which the minute begins."""
    beats: int
    """Signs of life: beats and responses."""
    tokens: int
    cost_usd: Decimal
    """Of the tokens that have a price."""
    unpriced_tokens: int


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What one role spent since a moment."""

    cost_usd: Decimal
    unpriced_tokens: int
    """Tokens whose model has no known price: not in ``cost_usd``."""


@dataclass(frozen=True, slots=True)
class BegunAction:
    """An action that was begun and has no outcome: under way, or cut off by the end of its supervisor."""

    id: int
    action: Action
    wall: float
    """When it began, Unix seconds."""
    pid: int
    """The process that carries it out; 0 = not known."""
