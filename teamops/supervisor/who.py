"""Whether this process runs at an agent's hands: then nothing that only a person may do is done from here.

Asked of all that it comes from (``lineage``), by what an agent's own process is known by: that it is a pane's, its
terminal, its control group where it has one of its own, and what it was begun with in its environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from teamops.model.text import clean_line
from teamops.supervisor.lineage import cgroup, environment, origins, streams

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.tmux.around import LivingPane

ROLE_VARIABLE = "TEAMOPS_ROLE"


def agent_around(settings: Settings, lineage: Sequence[int] | None = None) -> str:
    """Return the managed session that this process comes from; empty where it comes from none.

    ``lineage``: all that it comes from, where that is known already. Raises ``TeamopsError`` where tmux hangs.
    """
    if settings.watch_only:
        return ""
    from teamops.tmux.around import living_panes
    from teamops.tmux.socket import Socket

    sessions = frozenset(role.session for role in settings.roles)
    panes = living_panes(Socket(settings.tmux.socket_name, settings.tmux.socket_path), sessions)
    if not panes:
        return ""
    found = (_session_of(pid, panes) for pid in (lineage if lineage is not None else [*origins(os.getpid())]))
    return next((session for session in found if session), "")


def at_an_agent_s_hands(settings: Settings, env: Mapping[str, str] = os.environ) -> str:
    """Return whose hands this process is at, in words; empty = no agent's. Raises ``TeamopsError`` if tmux hangs."""
    role = clean_line(env.get(ROLE_VARIABLE, ""), 40)
    if role:
        return f"this is {role}'s shell ({ROLE_VARIABLE} is set)"
    lineage = [*origins(os.getpid())]
    for pid in lineage[1:]:  # what its own environment was begun with, is `env`, unless somebody cleared that
        role = clean_line(environment(pid).get(ROLE_VARIABLE, ""), 40)
        if role:
            return f"this comes from {role}'s process {pid} ({ROLE_VARIABLE} is set there)"
    session = agent_around(settings, lineage)
    return f'this is the agents\' session "{clean_line(session, 60)}"' if session else ""


def _session_of(pid: int, panes: Sequence[LivingPane]) -> str:
    """Return the managed session that a process is in, by any mark; empty where it bears none."""
    env, files = environment(pid), set(streams(pid))
    of_server = env.get("TMUX", "").rpartition(",")[0].rpartition(",")[2]
    group = cgroup(pid)
    for pane in panes:
        if pid == pane.pid or (of_server == str(pane.server) and env.get("TMUX_PANE") == pane.pane_id):
            return pane.session
        with suppress(OSError):
            told = os.stat(pane.tty)  # noqa: PTH116 - a text
            if (told.st_dev, told.st_ino) in files:
                return pane.session
        if group and group == cgroup(pane.pid) and cgroup(pane.server) not in {"", group}:
            return pane.session  # tmux has given the pane one of its own, and so to all that it starts
    return ""
