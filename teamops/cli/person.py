"""What only a person may do: at a terminal, outside of every agent's session, and by more than Enter."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from teamops.model.errors import UsageError
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings

ROLE_VARIABLE = "TEAMOPS_ROLE"


def need_person(what: str, settings: Settings, env: Mapping[str, str] = os.environ) -> str:
    """Return the login name of the person at this terminal.

    Raises ``UsageError`` where there is none: no terminal, or an agent's. ``what`` begins the sentence
    ("teamops approve").
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"{what} is the person's, and there is no terminal", "run it yourself, in a terminal")
    role = clean_line(env.get(ROLE_VARIABLE, ""), 40)
    if role:
        raise UsageError(
            f"{what} is the person's, and this is {role}'s shell ({ROLE_VARIABLE} is set)",
            "run it in a terminal of your own",
        )
    session = agent_around(settings)
    if session:
        raise UsageError(
            f"{what} is the person's, and this is the agents' session \"{clean_line(session, 60)}\"",
            "run it in a terminal of your own",
        )
    return login_name()


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


def login_name() -> str:
    """Return whose process this is, as the system knows it: no variable says otherwise."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def ask(question: str) -> str:
    """Return what the person types after ``question``; empty for nothing. What was typed before it does not count."""
    import termios

    sys.stdout.flush()
    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    try:
        return input(question).strip()
    except EOFError:
        click.echo()  # the line's end that Ctrl+D did not give
        return ""
