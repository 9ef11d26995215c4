"""teamops: a supervisor for a team of AI coding agents in tmux.

An agent of one's own says that it lives in two lines: ``import teamops`` and, in its loop, ``teamops.heartbeat()``.
"""

from teamops.sdk.beats import Cycle, cycle, heartbeat, init, log_cost, ping, shutting_down
from teamops.sdk.track import autotrack, track

__all__ = ["Cycle", "autotrack", "cycle", "heartbeat", "init", "log_cost", "ping", "shutting_down", "track"]
