"""Whether this process runs at an agent's hands: then nothing that only a person may do is done from here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings

ROLE_VARIABLE = "TEAMOPS_ROLE"


def agent_around(settings: Settings) -> str:
    """Return the managed session in which this process was started; empty where it was in none."""
    if settings.watch_only:
        return ""
    import psutil

    from teamops.tmux.around import pane_processes
    from teamops.tmux.socket import Socket

    sessions = frozenset(role.session for role in settings.roles)
    panes = pane_processes(Socket(settings.tmux.socket_name, settings.tmux.socket_path), sessions)
    if not panes:
        return ""
    own = psutil.Process()
    return next((panes[one.pid] for one in (own, *own.parents()) if one.pid in panes), "")


def at_an_agent_s_hands(settings: Settings, env: Mapping[str, str] = os.environ) -> str:
    """Return whose hands this process is at, in words; empty = no agent's."""
    role = clean_line(env.get(ROLE_VARIABLE, ""), 40)
    if role:
        return f"this is {role}'s shell ({ROLE_VARIABLE} is set)"
    session = agent_around(settings)
    return f'this is the agents\' session "{clean_line(session, 60)}"' if session else ""
