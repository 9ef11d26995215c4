"""The plain spike rules: ten times the average, five times the tool calls. They are shown, and wrong too often to call.

Source: the seed article. Replayed on honest agents they say something dozens of times a day; see tests/props.
"""

from __future__ import annotations

from typing import NamedTuple

from teamops.domain.limits import SpikeRule
from teamops.domain.usual import Usual

SHOWN_S = 60.0
"""A badge is shown for so long after the cycle that earned it."""


class Badge(NamedTuple):
    """A plain rule that was broken."""

    word: str
    """Short: "10\u00d7cycle", "10\u00d7day", "5\u00d7tools"."""
    value: int
    """Tokens of the cycle, tokens of the minute, or tool calls of the cycle."""
    limit: int
    """What it passed."""
    until: float


def after_cycle(
    badges: tuple[Badge, ...], usual: Usual, tokens: int, tools: int, rate: int, end: float, rule: SpikeRule
) -> tuple[Badge, ...]:
    """Return the badges after a cycle that ended then, measured by what was usual before it."""
    until = end + SHOWN_S
    earned = []
    cycle, day, called = usual.plain_cycle, usual.plain_day, usual.tool_calls
    if cycle is not None and tokens > rule.factor * cycle:
        earned.append(Badge(f"{rule.factor:g}\u00d7cycle", tokens, int(rule.factor * cycle), until))
    if day is not None and rate > rule.factor * day:
        earned.append(Badge(f"{rule.factor:g}\u00d7day", rate, int(rule.factor * day), until))
    if called is not None and tools > rule.tool_factor * called:
        earned.append(Badge(f"{rule.tool_factor:g}\u00d7tools", tools, int(rule.tool_factor * called), until))
    if not earned:
        return badges
    words = {badge.word for badge in earned}
    kept = tuple(badge for badge in badges if badge.word not in words and badge.until > end)
    return (*kept, *earned)
