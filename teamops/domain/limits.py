"""Every threshold of the rules, with its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NO_TIERS: Mapping[int, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Thresholds in observed seconds unless named otherwise."""

    waiting_s: float = 300.0
    """A light without a sign of work for so long is shown as waiting."""
    stale_s: float = 780.0
    """… and for so long is stale: an alert and one notification. 13 minutes."""
    waiting_by_tier: Mapping[int, float] = field(default_factory=lambda: _NO_TIERS)
    """Overrides of ``waiting_s`` for single tiers."""
    stale_by_tier: Mapping[int, float] = field(default_factory=lambda: _NO_TIERS)
    """Overrides of ``stale_s`` for single tiers."""
    beat_interval_s: float = 60.0
    """How often an agent that is expected to beat does so."""
    missed_beats: int = 2
    """So many missed beats make an agent silent."""
    starting_s: float = 30.0
    """An agent's process younger than this, without evidence of its own yet, is starting."""
    evidence_s: float = 15.0
    """Transcript growth or output younger than this means working."""
    approvals_in_a_row: int = 5
    """So many approvals without one challenge are worth a hint: reviewer and author may echo each other."""

    def waiting_for(self, tier: int | None) -> float:
        """Return the waiting limit of ``tier``."""
        return self.waiting_s if tier is None else self.waiting_by_tier.get(tier, self.waiting_s)

    def stale_for(self, tier: int | None) -> float:
        """Return the stale limit of ``tier``."""
        return self.stale_s if tier is None else self.stale_by_tier.get(tier, self.stale_s)
