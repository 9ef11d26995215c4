"""What sums of usage cost, by rates that are already known: for reports over a ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from teamops.model.price import OwnPrice
from teamops.model.usage import Usage
from teamops.usage.rates import Card, Rates, cost, from_json, own_rates

Key = tuple[str, str]
"""A model and a day, UTC, as ISO text."""


class PriceList:
    """Rates by model and day; ``own`` prices hold before them. ``known``: JSON, as ``rates.to_json`` writes it."""

    def __init__(self, known: Mapping[Key, str | None], own: Mapping[str, OwnPrice]) -> None:
        self._own = {model: own_rates(price) for model, price in own.items()}
        self._rates: dict[Key, Rates | None] = {}
        self._days: dict[int, str] = {}
        self.learn(known)

    def learn(self, known: Mapping[Key, str | None]) -> None:
        """Take rates; what can't be read is not known."""
        for key, text in known.items():
            try:
                self._rates[key] = None if text is None else from_json(text)
            except ValueError:
                continue

    def missing(self, wanted: Iterable[Key]) -> set[Key]:
        """Return which of ``wanted`` are not known, nor known to have no price."""
        return {key for key in wanted if key[0] and key[0] not in self._own and key not in self._rates}

    def tiers(self) -> tuple[int, ...]:
        """Return all sizes of context at which a price changes, ascending."""
        cards = [card for rates in self._rates.values() if rates for card in (rates.standard, rates.fast) if card]
        return tuple(
            sorted(
                {
                    start
                    for card in set(cards)
                    for kind in Card.__dataclass_fields__
                    for start, _ in getattr(card, kind).tiers
                    if start
                }
            )
        )

    def price(self, usage: Usage) -> Decimal | None:
        """Return what ``usage`` costs in USD, exactly; ``None`` where its model, or its speed, has no known price.

        ``usage`` may be the sum of several responses of one day and one speed, whose contexts lie in one tier; then
        ``context`` must name a size within it. A cost that the log itself names stands.
        """
        if usage.cost_usd is not None:
            return usage.cost_usd
        rates = self._own.get(usage.model) or self._rates.get((usage.model, self._day(usage.wall)))
        return None if rates is None else cost(usage, rates)

    def _day(self, wall: float) -> str:
        number = int(wall // 86_400)
        day = self._days.get(number)
        if day is None:
            day = self._days[number] = datetime.fromtimestamp(number * 86_400, UTC).date().isoformat()
        return day
