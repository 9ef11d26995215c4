"""What the ledger tells, as frozen rows."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from teamops.model.actions import Action


class Minute(Struct, frozen=True):
    """One minute of one role."""

    wall: float
    """Unix seconds at which the minute begins."""
    beats: int
    """Signs of life: beats and responses."""
    tokens: int
    cost_usd: Decimal
    """Of the tokens that have a price."""
    unpriced_tokens: int


class DaySpend(Struct, frozen=True):
    """What one role spent since a moment."""

    cost_usd: Decimal
    unpriced_tokens: int
    """Tokens whose model has no known price: not in ``cost_usd``."""


class BegunAction(Struct, frozen=True):
    """An action that was begun and has no outcome: under way, or cut off by the end of its supervisor."""

    id: int
    action: Action
    wall: float
    """When it began, Unix seconds."""
    pid: int
    """The process that carries it out; 0 = not known."""
