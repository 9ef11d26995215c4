"""A tmux pane as teamops sees it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Pane(Struct, frozen=True, kw_only=True):
    """The first pane of one managed session."""

    session: str
    pane_id: str
    """tmux's own ``%N``; the only form commands are aimed at."""
    pid: int
    """The pane's first process: the agent itself, as sessions start it with ``exec``."""
    tty: str
    dead: bool = False
    exit_status: int | None = None
    """Known once dead, unless a signal ended it."""
    exit_signal: int | None = None
    title: str = ""
    """Cleaned. Set by the program inside: never trusted, never passed back to tmux."""
    in_mode: bool = False
    """A person scrolls (copy mode): keys would go to tmux, not to the agent."""
    attached: int = 0
    """Clients that look at the session now."""
    width: int = 0
    height: int = 0


class Screen(StrEnum):
    """What a client's visible screen shows, by its text. Weak evidence: it may hold back an act, never cause one."""

    PROMPT = "prompt"
    """At its prompt, ready for a line."""
    BUSY = "busy"
    RETRYING = "retrying"
    """Busy with API calls that fail and are tried again."""
    FAILED = "failed"
    """At its prompt, below the words that its last API call failed for good."""
    DIALOG = "dialog"
    """A question or permission dialog: any text and Enter would approve it."""
    EXITED = "exited"
    UNKNOWN = "unknown"
