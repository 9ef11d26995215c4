"""Beats from inside an agent's own loop. Standard library only."""

from teamops.sdk.beats import Cycle, cycle, heartbeat, init, ping, shutting_down

__all__ = ["Cycle", "cycle", "heartbeat", "init", "ping", "shutting_down"]
