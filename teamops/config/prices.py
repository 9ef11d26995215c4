"""What a person says models cost: [prices] of teamops.toml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType

from teamops.model.price import OwnPrice

KeyPath = tuple[str, ...]


def own_prices(values: Mapping[KeyPath, object], say: Callable[[KeyPath, str], None]) -> Mapping[str, OwnPrice]:
    """Return the prices in ``values``, by model. Of one that can't be used, ``say`` is told what is wrong with it."""
    given: dict[str, dict[str, Decimal]] = {}
    for path, value in values.items():
        if path[0] == "prices" and len(path) == 3 and isinstance(value, Decimal):
            given.setdefault(path[1], {})[path[2]] = value
    prices: dict[str, OwnPrice] = {}
    for model, kinds in given.items():
        missing = [kind for kind in ("input", "output") if kind not in kinds]
        if missing:
            say(("prices", model), f"says no price of {' and '.join(missing)}")
        else:
            prices[model.strip()] = OwnPrice(**kinds)
    return MappingProxyType(prices)
