"""Looks prices up, in a process of its own: genai-prices takes 39 MB and 0.2 s, which the screen's process never pays.

Reads a JSON list of [model, ISO day] on stdin; writes a JSON list of the same length on stdout, each the rates as
``usage.rates`` writes them, or null where the model has no known price.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from teamops.usage.rates import Card, Price, Rates, to_json

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice


def rates_of(model: str, day: str) -> Rates | None:
    """Return what ``model`` costs on ``day`` (UTC; where a price changes with the hour, its noon), or ``None``."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        at = datetime.combine(datetime.fromisoformat(day).date(), time(12), UTC)
        _, info = get_snapshot().find_provider_model(model, None, None, None)
    except (LookupError, ValueError):
        return None
    is_claude = "claude" in info.id
    standard = _card(info.get_prices(at), is_claude=is_claude)
    if standard is None:
        return None
    has_fast = any(variant.when == {"speed": "fast"} for variant in info.price_variants or ())
    fast = _card(info.get_prices(at, {"speed": "fast"}), is_claude=is_claude) if has_fast else None
    return Rates(standard, fast)


def _card(prices: ModelPrice, *, is_claude: bool) -> Card | None:
    own = _price(prices.input_mtok)
    output = _price(prices.output_mtok)
    if own is None or output is None:
        return None
    # Without a price of their own, cached tokens are input like any other; so genai-prices counts them.
    write = _price(prices.cache_write_mtok)
    hour = _price(prices.cache_write_1h_mtok)
    if hour is None and is_claude:
        hour = Price(tuple((start, 2 * price) for start, price in own.tiers))
    return Card(own, output, write or own, hour or write or own, _price(prices.cache_read_mtok) or own)


def _price(value: Any) -> Price | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return Price(((0, value),))
    return Price(((0, value.base), *((tier.start, tier.price) for tier in value.tiers)))


def main() -> None:
    """Answer what stdin asks."""
    # First what takes its time: who will ask may still be finding out what.
    from genai_prices.data_snapshot import get_snapshot

    get_snapshot()
    asked = json.load(sys.stdin)
    found = [rates_of(str(model), str(day)) for model, day in asked]
    json.dump([None if rates is None else to_json(rates) for rates in found], sys.stdout)


if __name__ == "__main__":
    main()
