"""The terminal around a tmux pane: who looks at it, and whether tmux lets a sequence through to them.

Asked of the server that we run in, by its own socket; nothing there is changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from teamops.model.text import clean_line
from teamops.tmux.command import TmuxFailed, run_once
from teamops.tmux.socket import Socket

LIMIT_S = 1.0
OPTION = "allow-passthrough"


@dataclass(frozen=True, slots=True)
class Outer:
    """What is around our pane."""

    passes: bool
    """What is wrapped for it reaches the terminals, at least while our pane is seen."""
    terminals: tuple[str, ...]
    """What each terminal that shows our session says it is, as "iTerm2 3.5.0", else its TERM; empty = nobody looks."""


def inside(env: Mapping[str, str] = os.environ) -> bool:
    """Return whether this process runs in a tmux pane."""
    return bool(env.get("TMUX")) and env.get("TMUX_PANE", "").startswith("%")


async def outer(env: Mapping[str, str] = os.environ) -> Outer:
    """Return what is around the pane that we run in. Raises ``TeamopsError`` where tmux can't be asked."""
    socket, pane = Socket(path=env["TMUX"].rsplit(",", 2)[0]), env["TMUX_PANE"]
    try:
        told = await run_once(socket, ["show-options", "-p", "-A", "-v", "-t", pane, OPTION], LIMIT_S)
        passes = told.strip() in {"on", "all"}
    except TmuxFailed as error:
        if OPTION not in error.message:
            raise
        passes = True  # a tmux before 3.3 has no such option: it lets all through
    listed = await run_once(
        socket, ["list-clients", "-t", pane, "-F", "#{client_termtype}\t#{client_termname}"], LIMIT_S
    )
    rows = [line.partition("\t") for line in listed.splitlines()]
    return Outer(passes, tuple(clean_line(kind or name, 80) for kind, _, name in rows if kind or name))
