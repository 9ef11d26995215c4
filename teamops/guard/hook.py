"""The entry of the clients' hooks: one event, one line in the agent's spool.

Run at every tool call, so it is light, and as a program of its own it needs no installed package. It never holds its
client up or back: it prints nothing, waits at most two seconds for its input and always ends with 0.
"""

# ruff: noqa: PTH100, PTH109, PTH112, PTH120 - importing pathlib costs more than all of this
from __future__ import annotations

import os
import sys

DEADLINE_S = 2.0
"""So long the client may take to hand over its event."""
MAX_BYTES = 1 << 20
MAX_EVENT = 40
MAX_DETAIL = 800
"""A poke is shorter; longer prompts are cut."""
FILE = "hooks"
"""All hooks of a role write one file: a process each, so a file each would be thousands."""

_ABOUT = ("prompt", "tool_name", "error", "message", "reason", "source", "trigger")
"""What an event is about, in the clients' own names, best first."""


def main(words: list[str]) -> int:
    """Take the event that ``words`` name, from standard input, into the spool. Returns 0, whatever happens."""
    try:
        _take(words[0] if words else "", _read(0))
    except Exception as error:  # noqa: BLE001 - the port to someone else's program: nothing may come through
        from teamops.sdk.spool import warn

        warn(f"a hook's event was lost: {type(error).__name__}: {error}")
    return 0


def _take(event: str, raw: bytes) -> None:
    import time
    from _json import encode_basestring_ascii

    from teamops.sdk.spool import Spool, project_of, role_of

    told = _object(raw)
    event = event or _text(told, "hook_event_name")
    role = role_of(os.environ.get("TEAMOPS_ROLE", ""))
    project = os.environ.get("TEAMOPS_PROJECT") or project_of(_text(told, "cwd") or os.getcwd())
    if role is None or not event or not project or not os.path.isdir(project):
        return  # no agent of a team: a person's own session with the same settings
    line = f'{{"v":1,"t":{time.time():.3f},"pid":{_client()},"kind":"hook"'
    for name, value in (
        ("hook", event[:MAX_EVENT]),
        ("session", _text(told, "session_id")[:100]),
        ("transcript", _text(told, "transcript_path")[:1000]),
        ("detail", _about(told)[:MAX_DETAIL]),
    ):
        if value:
            line += f',"{name}":{encode_basestring_ascii(value)}'
    Spool(project, role, FILE).write((line + "}").encode())


def _about(told: dict[str, object]) -> str:
    """Return what an event is about; a notice's type stands before its words."""
    about = next((text for name in _ABOUT if (text := _text(told, name))), "")
    kind = _text(told, "notification_type") or _text(told, "notificationType")
    if kind:
        return f"{kind}: {_text(told, 'message')}"
    said = _text(told, "last_assistant_message") if "error" in told else ""
    return f"{about}: {said}" if said else about


def _object(raw: bytes) -> dict[str, object]:
    if not raw.strip():
        return {}
    import json

    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _text(told: dict[str, object], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _client() -> int:
    """Return the client's own pid, where it says so; 0 = not known."""
    said = os.environ.get("CLAUDE_PID", "")
    return int(said) if said.isdigit() and len(said) < 10 else 0


def _read(handle: int) -> bytes:
    """Return what stands on ``handle``: until its end, the deadline, or what no event is as long as."""
    import time
    from select import select

    if os.isatty(handle):
        return b""
    raw = b""
    end = time.monotonic() + DEADLINE_S
    while len(raw) < MAX_BYTES:
        try:
            if not select([handle], [], [], max(0.0, end - time.monotonic()))[0]:
                break
            part = os.read(handle, 1 << 16)
        except (OSError, ValueError):  # closed
            break
        if not part:
            break
        raw += part
    return raw


if __name__ == "__main__":
    # As a program: ``python -I -S …/guard/hook.py EVENT``, with no site-packages to be looked through.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    sys.exit(main(sys.argv[1:]))
