"""What is usual for an agent: its rate over the last cycles in which it used tokens, and over the last day.

Learnt so that a spike can't teach it: each sample counts for no more than ``factor`` times what was usual before.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from teamops.domain.limits import SpikeRule

CYCLE_S = 10.0
"""A cycle of an agent that doesn't tell its own."""
MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86400.0
CYCLES = 50
WARM = 12
"""With fewer samples nothing is usual yet."""


class Hour(NamedTuple):
    """The active minutes of one hour."""

    began: float
    minutes: int
    tokens: int
    """As they count for what is usual."""
    raw: int
    """As they were, for the plain rule."""


class Usual(Struct, frozen=True, kw_only=True):
    """What was learnt."""

    rates: tuple[int, ...] = ()
    """Tokens a minute at the end of each of the last active cycles, capped; oldest first."""
    cycles: tuple[int, ...] = ()
    """Tokens of each of the last active cycles as they were, for the plain rule."""
    tools: tuple[int, ...] = ()
    """Tool calls of each of the last cycles that had any, capped."""
    hours: tuple[Hour, ...] = ()

    @property
    def by_cycles(self) -> int | None:
        """Return tokens a minute by the last cycles; ``None`` = too few are known."""
        return _mean(self.rates)

    @property
    def by_day(self) -> int | None:
        """Return tokens a minute by the active minutes of the last 24 h; ``None`` = too few are known."""
        minutes = sum(hour.minutes for hour in self.hours)
        return sum(hour.tokens for hour in self.hours) // minutes if minutes >= WARM else None

    @property
    def plain_cycle(self) -> int | None:
        """Return tokens a cycle, with all that a spike did to them."""
        return _mean(self.cycles)

    @property
    def plain_day(self) -> int | None:
        """Return tokens an active minute of the last 24 h, with all that a spike did to them."""
        minutes = sum(hour.minutes for hour in self.hours)
        return sum(hour.raw for hour in self.hours) // minutes if minutes >= WARM else None

    @property
    def tool_calls(self) -> float | None:
        """Return tool calls of a cycle that has any."""
        return sum(self.tools) / len(self.tools) if len(self.tools) >= WARM else None


def _mean(samples: tuple[int, ...]) -> int | None:
    return sum(samples) // len(samples) if len(samples) >= WARM else None


def learn_cycle(usual: Usual, tokens: int, tools: int, rate: int, rule: SpikeRule, *, capped_only: bool) -> Usual:
    """Return what is usual after a cycle. With ``capped_only`` (a spike lasts) only the plain rule learns."""
    rates, cycles, called = usual.rates, usual.cycles, usual.tools
    if tokens > 0:
        cycles = (*cycles, tokens)[-CYCLES:]
        if not capped_only:
            rates = (*rates, _capped(rate, usual.by_cycles, rule))[-CYCLES:]
    if tools > 0 and not capped_only:
        mean = usual.tool_calls
        called = (*called, tools if mean is None else min(tools, int(rule.tool_factor * mean)))[-CYCLES:]
    return replace(usual, rates=rates, cycles=cycles, tools=called)


def learn_minute(usual: Usual, tokens: int, began: float, rule: SpikeRule) -> Usual:
    """Return what is usual after a minute that began then; what lies more than a day back is forgotten."""
    if tokens <= 0:
        return usual
    counts = _capped(tokens, usual.by_day, rule)
    hours = usual.hours
    if hours and began - hours[-1].began < HOUR_S:
        last = hours[-1]
        fresh = Hour(last.began, last.minutes + 1, last.tokens + counts, last.raw + tokens)
        return replace(usual, hours=(*hours[:-1], fresh))
    kept = tuple(hour for hour in hours if began - hour.began < DAY_S)
    return replace(usual, hours=(*kept, Hour(began, 1, counts, tokens)))


def _capped(tokens: int, usual: int | None, rule: SpikeRule) -> int:
    """Return what a sample counts for; until something is usual, no more than the ceiling."""
    return min(tokens, rule.ceiling if usual is None else max(1, int(rule.factor * usual)))
