"""What only a person may do: at a terminal, outside of every agent's session, and by more than Enter."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from teamops.model.errors import UsageError
from teamops.supervisor.lineage import controlling_terminal
from teamops.supervisor.who import at_an_agent_s_hands

if TYPE_CHECKING:
    from teamops.config.settings import Settings


def need_person(what: str, settings: Settings, env: Mapping[str, str] = os.environ) -> str:
    """Return the login name of the person at this terminal.

    Raises ``UsageError`` where there is none: no terminal, or an agent's. ``what`` begins the sentence
    ("teamops approve").
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"{what} is the person's, and there is no terminal", "run it yourself, in a terminal")
    if not is_own_terminal():
        raise UsageError(
            f"{what} is the person's, and this terminal is another process'",
            "run it yourself, in a terminal of your own",
        )
    refuse_agents(what, settings, env)
    return login_name()


def is_own_terminal() -> bool:
    """Return whether input and output are the terminal that the kernel knows as this process' own.

    One that is merely opened is whoever's. True where nobody tells.
    """
    own = controlling_terminal()
    return own is None or (own != 0 and all(os.fstat(one.fileno()).st_rdev == own for one in (sys.stdin, sys.stdout)))


def refuse_agents(what: str, settings: Settings, env: Mapping[str, str] = os.environ) -> None:
    """Refuse what a person's script may do and an agent may not. Raises ``UsageError``, which ``what`` begins."""
    around = at_an_agent_s_hands(settings, env)
    if around:
        raise UsageError(f"{what} is the person's, and {around}", "run it in a terminal of your own")


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
