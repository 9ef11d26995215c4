"""What a person says a model costs."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct


class OwnPrice(Struct, frozen=True, kw_only=True):
    """USD per million tokens of one model, instead of what the table of prices says."""

    input: Decimal
    output: Decimal
    cache_write: Decimal | None = None
    """``None``: as input."""
    cache_write_1h: Decimal | None = None
    """``None``: as other cache writes."""
    cache_read: Decimal | None = None
    """``None``: as input."""
    fast: Decimal | None = None
    """So many times the price with the fast speed; ``None``: that has no price."""
