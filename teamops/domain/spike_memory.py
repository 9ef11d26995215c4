"""What outlives teamops of the spike rule: what is usual for an agent, and the spike that lasts."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from teamops.domain.spikes import Spike, State
from teamops.domain.usual import CYCLES, DAY_S, HOUR_S, Hour, Usual
from teamops.model.clock import Stamp

MOST_HOURS = int(DAY_S / HOUR_S) + 1


class Kept(Struct, frozen=True, kw_only=True):
    """What is stored of a ``State``. Times are Unix seconds. Under 2 KB."""

    usual: str
    """As JSON."""
    spike: str = ""
    """As JSON; empty = none lasts."""


def to_keep(state: State, stamp: Stamp) -> Kept:
    """Return what is stored of ``state`` now: not its last minute, which is a gap for the next life."""
    usual, spike, ago = state.usual, state.spike, stamp.wall - stamp.now
    told = {
        "rates": usual.rates,
        "cycles": usual.cycles,
        "tools": usual.tools,
        "hours": [(hour.began + ago, *hour[1:]) for hour in usual.hours],
    }
    if spike is None:
        return Kept(usual=json.dumps(told))
    lasts = [spike.began + ago, spike.peak, spike.usual, spike.limit, spike.tokens, str(spike.cost), spike.plain]
    return Kept(usual=json.dumps(told), spike=json.dumps(lasts))


def from_kept(kept: Kept, stamp: Stamp) -> State:
    """Return what an earlier life kept, or as much of it as can be read.

    The wall clock may have been set meanwhile: what seems to lie in the future is now.
    """

    def at(wall: float) -> float:
        return stamp.now - max(0.0, stamp.wall - wall)

    return State(usual=_usual_of(kept.usual, at), spike=_spike_of(kept.spike, at))


def _usual_of(text: str, at: Callable[[float], float]) -> Usual:
    told = _read(text)
    if not isinstance(told, dict):
        return Usual()
    try:
        return Usual(
            rates=_counts(told["rates"]),
            cycles=_counts(told["cycles"]),
            tools=_counts(told["tools"]),
            hours=tuple(
                Hour(at(float(began)), int(minutes), int(tokens), int(raw))
                for began, minutes, tokens, raw in told["hours"][-MOST_HOURS:]
            ),
        )
    except (KeyError, TypeError, ValueError):
        return Usual()


def _counts(told: Any) -> tuple[int, ...]:
    return tuple(int(count) for count in told)[-CYCLES:]


def _spike_of(text: str, at: Callable[[float], float]) -> Spike | None:
    told = _read(text)
    try:
        began, peak, usual, limit, tokens, cost, plain = told
        return Spike(
            began=at(float(began)),
            peak=int(peak),
            usual=None if usual is None else int(usual),
            limit=int(limit),
            tokens=int(tokens),
            cost=Decimal(cost),
            plain=str(plain),
        )
    except (TypeError, ValueError, InvalidOperation):
        return None


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def forget_older(state: State, now: float) -> State:
    """Return ``state`` without the hours that lie more than a day back."""
    hours = tuple(hour for hour in state.usual.hours if now - hour.began < DAY_S)
    return state if hours == state.usual.hours else replace(state, usual=replace(state.usual, hours=hours))
