"""Where this process itself runs: which session of tmux it is in, and whose panes are around it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from teamops.model.errors import TeamopsError
from teamops.model.text import clean_line
from teamops.tmux.command import TmuxFailed, run_here
from teamops.tmux.socket import Socket

ASK_S = 1.0
NAME_LIMIT = 120
_LIVING = "#{pane_dead}:#{pane_pid}:#{pane_id}:#{pane_tty}:#{pid}:#{session_name}"


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


@dataclass(frozen=True, slots=True)
class LivingPane:
    """A pane whose process lives."""

    pid: int
    session: str
    pane_id: str
    tty: str
    server: int
    """The process of the tmux server."""


def pane_processes(socket: Socket, sessions: Collection[str]) -> dict[int, str]:
    """Return the living processes that tmux started in the panes of ``sessions``, each with its session.

    Blocks and raises as ``living_panes``.
    """
    return {one.pid: one.session for one in living_panes(socket, sessions)}


def living_panes(socket: Socket, sessions: Collection[str]) -> tuple[LivingPane, ...]:
    """Return the panes of ``sessions`` whose processes live.

    Blocks for at most 2 s; empty where there is no such server, or no tmux. Raises ``TmuxFailed`` where it hangs.
    """
    try:
        said = run_here(socket, ["list-panes", "-a", "-F", _LIVING])
    except TmuxFailed:
        raise
    except TeamopsError:
        return ()
    found = []
    for line in said.splitlines():
        dead, pid, pane, tty, server, session = (*line.split(":", 5), *[""] * 6)[:6]
        if dead != "1" and pid.isdecimal() and session in sessions:
            found.append(LivingPane(int(pid), session, pane, tty, int(server) if server.isdecimal() else 0))
    return tuple(found)
