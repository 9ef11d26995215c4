"""A moment, on both clocks. Only ``sources.clock`` makes one; all rules receive it."""

from __future__ import annotations

from msgspec import Struct

HUNG_S = 20.0
"""A supervisor goes through a round each second; one without a round for so long hangs."""


class Stamp(Struct, frozen=True, order=True):
    """One moment as teamops counts it."""

    now: float
    """Observed seconds: a monotonic clock that stands still while teamops itself did not run (suspend,
    SIGSTOP), so that every age and deadline measured on it is re-armed after a gap."""
    wall: float
    """Unix seconds: for display, for days, and for what must be compared across processes."""
