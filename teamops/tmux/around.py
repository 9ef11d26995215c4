"""Where this process itself runs: which session of tmux it is in, and whose panes are around it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from teamops.model.errors import TeamopsError
from teamops.model.text import clean_line
from teamops.tmux.command import TmuxFailed, run_here
from teamops.tmux.socket import Socket

ASK_S = 1.0
NAME_LIMIT = 120


def session_of_pane(env: Mapping[str, str] = os.environ) -> str:
    """Return the name of the session that ``env`` says this process runs in; empty outside of tmux.

    Blocks for at most 1 s. A server that has gone, or does not answer, is as good as none.
    """
    path = env.get("TMUX", "").rpartition(",")[0].rpartition(",")[0]
    pane = env.get("TMUX_PANE", "")
    if not path or not pane:
        return ""
    try:
        said = run_here(Socket(path=path), ["display-message", "-p", "-t", pane, "#{session_name}"], ASK_S)
    except (TeamopsError, OSError):
        return ""
    return clean_line(said, NAME_LIMIT)


def pane_processes(socket: Socket, sessions: Collection[str]) -> dict[int, str]:
    """Return the living processes that tmux started in the panes of ``sessions``, each with its session.

    Blocks for at most 2 s; empty where there is no such server, or no tmux. Raises ``TmuxFailed`` where it hangs.
    """
    try:
        said = run_here(socket, ["list-panes", "-a", "-F", "#{pane_dead}:#{pane_pid}:#{session_name}"])
    except TmuxFailed:
        raise
    except TeamopsError:
        return {}
    found = {}
    for line in said.splitlines():
        dead, _, rest = line.partition(":")
        pid, _, session = rest.partition(":")
        if dead != "1" and pid.isdecimal() and session in sessions:
            found[int(pid)] = session
    return found
