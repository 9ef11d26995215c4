"""What ``list-panes`` says → panes: nothing a program or a person names can break the reading."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from teamops.model.pane import Pane
from teamops.model.text import clean_line
from teamops.tmux.ending import told_by_wrapper

TITLE_LIMIT = 200

_FIELDS = (
    "pane_id", "pane_pid", "pid", "pane_dead", "pane_dead_status", "pane_dead_signal", "pane_in_mode",
    "pane_width", "pane_height", "destroy-unattached", "window_activity", "pane_tty",
    "m:*bwrap*/guard/confine.py*,#{pane_start_command}",
)  # fmt: skip
"""The last: whether the pane's first process is the one around an agent in its boundary."""
_SIGNALS = re.compile(r"(?:SIG)?([A-Z0-9]+)")


def format_of(guard: str) -> str:
    """Return the format for ``list-panes -F``.

    Fields are parted by ``|`` (none holds one), then come the session's name and the title behind a colon each: a name
    has no colon, and the title may hold what it likes, being last.
    """
    return f"{guard} " + "|".join(f"#{{{name}}}" for name in _FIELDS) + ":#{session_name}:#{pane_title}"


@dataclass(slots=True)
class Listed:
    """One reading of the server."""

    panes: dict[str, list[Pane]] = field(default_factory=dict)
    """By session, in tmux's order: the first window's first pane first."""
    shy: frozenset[str] = frozenset()
    """Sessions with ``destroy-unattached`` on."""
    activity: dict[str, int] = field(default_factory=dict)
    """Pane → Unix seconds of its window's last output."""
    server_pid: int = 0


def parse(text: str, guard: str, sessions: frozenset[str]) -> Listed:
    """Return the panes of ``sessions`` in ``text``; foreign sessions and lines without the guard are passed over.

    Lines of ``list-clients`` (guard, control mode flag, session) tell how many persons look at a session.
    """
    listed = Listed()
    shy: set[str] = set()
    watchers: Counter[str] = Counter()
    rows: list[tuple[str, list[str], str]] = []
    for line in text.split("\n"):
        head, _, rest = line.partition(" ")
        if head != guard:
            continue
        facts, _, rest = rest.partition(":")
        session, _, title = rest.partition(":")
        if session not in sessions:
            continue
        fields = facts.split("|")
        if len(fields) == 1:
            watchers[session] += facts == "0" or not facts
        elif len(fields) == len(_FIELDS):
            rows.append((session, fields, title))
    for session, fields, title in rows:
        pane = _pane(session, fields, title, watchers[session])
        if pane is None:
            continue
        listed.panes.setdefault(session, []).append(pane)
        listed.server_pid = _number(fields[2]) or listed.server_pid
        listed.activity[pane.pane_id] = _number(fields[10]) or 0
        if fields[9] not in {"", "0", "off"}:
            shy.add(session)
    listed.shy = frozenset(shy)
    return listed


def _pane(session: str, fields: list[str], title: str, attached: int) -> Pane | None:
    pane_id, pid, _, dead, status, signal, mode, width, height, _, _, tty, wrapped = fields
    if not pane_id.startswith("%") or _number(pid) is None:
        return None
    ending = _number(status), _signal(signal)
    if wrapped == "1" and ending[0] is not None:
        ending = told_by_wrapper(ending[0])
    return Pane(
        session=session,
        pane_id=pane_id,
        pid=_number(pid) or 0,
        tty=tty,
        dead=dead == "1",
        exit_status=ending[0],
        exit_signal=ending[1],
        title=clean_line(title, TITLE_LIMIT),
        in_mode=mode not in {"", "0"},
        attached=attached,
        width=_number(width) or 0,
        height=_number(height) or 0,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _signal(text: str) -> int | None:
    """Return a signal's number; some builds of tmux print its name."""
    number = _number(text)
    if number is not None or not text:
        return number
    import signal

    match = _SIGNALS.fullmatch(text.upper())
    try:
        return int(signal.Signals[f"SIG{match[1]}"]) if match else None
    except KeyError:
        return None
