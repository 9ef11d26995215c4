"""The table [ledger] → how long what is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from teamops.domain.limits import Retention

KeyPath = tuple[str, ...]

LEAST_MINUTE_DAYS = 2
"""A day in any timezone, with an hour more where clocks are set back, is within two."""


def read(values: Mapping[KeyPath, object], say: Callable[[KeyPath, str], None]) -> Retention:
    """Return what the table says; ``say`` is told what contradicts itself, and where."""
    told = {name: days for name in ("raw_days", "minute_days") if isinstance(days := values.get(("ledger", name)), int)}
    rule = Retention(**told)
    if rule.minute_days < LEAST_MINUTE_DAYS:
        say(
            ("ledger", "minute_days"),
            f"ledger.minute_days is at least {LEAST_MINUTE_DAYS}: a day's budget looks back that far",
        )
        return Retention()
    if rule.raw_days > rule.minute_days:
        say(
            ("ledger", next(iter(told))),
            f"ledger.raw_days ({rule.raw_days}) is more than ledger.minute_days ({rule.minute_days}): "
            "what is single is kept no longer than its sums",
        )
    return rule
