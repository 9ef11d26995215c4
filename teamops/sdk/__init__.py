"""Beats from inside an agent's own loop. Standard library only."""

from teamops.sdk.beats import Cycle, cycle, heartbeat, init, ping, shutting_down
from teamops.sdk.track import autotrack, track

__all__ = ["Cycle", "autotrack", "cycle", "heartbeat", "init", "ping", "shutting_down", "track"]
