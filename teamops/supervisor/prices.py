"""What model calls cost, and which of them wait until their model's price is known."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from teamops.model.role import Role
from teamops.model.usage import Usage
from teamops.usage.pricing import Pricer


class Prices:
    """Asks the pricer, and remembers what it could not answer."""

    def __init__(self, pricer: Pricer) -> None:
        self._pricer = pricer
        self._waiting: list[tuple[Role, Usage]] = []

    def wait_for(self, unpriced: Iterable[tuple[Role, Usage]]) -> None:
        """Take what waits since earlier lives."""
        self._waiting = list(unpriced)

    def of(self, role: Role, usage: Usage) -> Decimal | None:
        """Return what usage costs; without a price it waits for one."""
        cost = self._pricer.price(usage)
        if cost is None:
            self._waiting.append((role, usage))
        return cost

    def answered(self) -> list[tuple[Role, Usage, Decimal]]:
        """Return, once, what waited and has its price now."""
        asked = [(role, usage, self._pricer.price(usage)) for role, usage in self._waiting]
        self._waiting = [(role, usage) for role, usage, cost in asked if cost is None]
        return [(role, usage, cost) for role, usage, cost in asked if cost is not None]
