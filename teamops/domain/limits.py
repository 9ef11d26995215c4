"""Every threshold of the rules, with its default."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field

_NO_TIERS: Mapping[int, float] = MappingProxyType({})


class Limits(Struct, frozen=True, kw_only=True):
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
    zombie_s: float = 1200.0
    """A living process that holds a light or is in a cycle and shows no work for so long is a zombie."""
    memory_bytes: int = 4 << 30
    """An agent's process tree that uses more is worth an alert."""
    memory_ahead_s: float = 6 * 3600.0
    """… and so is one that, as it grows, will use more within so long."""
    accept_s: float = 10.0
    """A poke that was typed is to be accepted by its client within so long, or is typed again by rule."""
    pokes_per_light: int = 3
    """So many lines at most are typed by rule about one light, reminders counted."""
    approvals_in_a_row: int = 5
    """So many approvals without one challenge are worth a hint: reviewer and author may echo each other."""

    def waiting_for(self, tier: int | None) -> float:
        """Return the waiting limit of ``tier``."""
        return self.waiting_s if tier is None else self.waiting_by_tier.get(tier, self.waiting_s)

    def stale_for(self, tier: int | None) -> float:
        """Return the stale limit of ``tier``."""
        return self.stale_s if tier is None else self.stale_by_tier.get(tier, self.stale_s)


class RestartWhen(StrEnum):
    """What teamops restarts by itself."""

    NEVER = "never"
    ON_DEATH = "on-death"
    ON_UNHEALTHY = "on-unhealthy"
    """Also an agent that lives and is silent or a zombie."""


class RestartPolicy(Struct, frozen=True, kw_only=True):
    """When an agent is restarted by rule. Source of the defaults: the seed article's policy, in the house plan."""

    when: RestartWhen = RestartWhen.ON_UNHEALTHY
    attempts: int = 2
    """Restarts before teamops gives up: unwell once more after the last one, and a person is called."""
    cooldown_s: float = 300.0
    """Observed seconds between two restarts."""
    reset_s: float = 600.0
    """The count begins anew only after so much time of work progress."""


class SpikeStop(StrEnum):
    """Whether an agent that runs away is stopped."""

    OFF = "off"
    ASK = "ask"
    """A person is asked."""
    ON = "on"


class SpikeRule(Struct, frozen=True, kw_only=True):
    """When an agent runs away. Source of the defaults: trials with simulated agents, see tests/props/test_spikes."""

    floor: int = 5_000
    """Tokens a minute, the largest single response left out, that are never a spike."""
    ceiling: int = 20_000
    """Tokens a minute that are one without any history."""
    factor: float = 10.0
    """So many times its usual rate is a spike."""
    tool_factor: float = 5.0
    """So many times the usual tool calls of a cycle show as a badge."""
    page_literal: bool = False
    """The plain rules (badges) call a person, too."""
    stop: SpikeStop = SpikeStop.OFF
    """Whether an agent that runs away is stopped; the rule itself stops nobody."""


class Retention(Struct, frozen=True, kw_only=True):
    """For how many days what is kept. What is neither raw nor of a minute is kept for ever."""

    raw_days: int = 7
    """Single beats, single responses, calls that were allowed."""
    minute_days: int = 90
    """Sums by the minute, states that came and went."""
