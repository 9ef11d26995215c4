"""How a person gets to an agent's session, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from teamops.model.errors import TeamopsError
from teamops.model.snapshot import AttachPlan
from teamops.model.text import clean_line
from teamops.tmux.command import ServerDown, calming, exact, run_here
from teamops.tmux.socket import Socket

PREFIX_S = 1.0


def attach_plan(socket: Socket, session: str, env: Mapping[str, str] = os.environ) -> AttachPlan:
    """Return how to go to ``session`` from where ``env`` says that the person is. Blocks for at most 3 s.

    Inside the same server: switch to it. Inside another server: attach within, with ``TMUX`` unset (tmux refuses it
    otherwise). Outside: attach. Raises ``ServerDown`` or ``TeamopsError`` if there is no such session.
    """
    try:
        run_here(socket, ["has-session", "-t", exact(session)])
    except ServerDown:
        raise
    except TeamopsError as error:
        raise TeamopsError(f'there is no session "{session}"', "start its agent: teamops up ROLE") from error
    run_here(socket, calming(session))
    own = _prefix(socket)
    outer = env.get("TMUX", "").rpartition(",")[0].rpartition(",")[0]
    if not outer:
        return AttachPlan(
            argv=(*socket.argv(), "attach-session", "-t", exact(session)),
            switch=False,
            back=f"come back: {own} d (detach)",
            unset=("TMUX", "TMUX_PANE"),
        )
    if _same_file(Path(outer), socket.file(env)):
        return AttachPlan(
            argv=(*socket.argv(), "switch-client", "-t", exact(session)),
            switch=True,
            back=f"come back: {own} L (last session)",
        )
    theirs = _prefix(Socket(path=outer))
    back = f"{own} d" if theirs != own else f"{own} twice, then d (the first {own} is taken by the tmux around it)"
    return AttachPlan(
        argv=(*socket.argv(), "attach-session", "-t", exact(session)),
        switch=False,
        back=f"come back: {back}",
        unset=("TMUX", "TMUX_PANE"),
    )


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one == other


def _prefix(socket: Socket) -> str:
    """Return the prefix key in words; a read-only question."""
    try:
        key = clean_line(run_here(socket, ["show-options", "-gv", "prefix"], PREFIX_S), 20)
    except TeamopsError:
        key = ""
    if key in {"", "None"}:
        return "your prefix key"
    return f"Ctrl-{key[2:]}" if key.startswith("C-") else key
