"""The entry of the clients' hooks: one event, one line in the agent's spool.

Run at every tool call, so it is light, and as a program of its own it needs no installed package. It waits at most two
seconds for its input, and holds its client back in one case: the agent may not spend. Then tool calls and prompts are
refused, with the reason on standard error and 2; all else ends with 0 and prints nothing.
"""

# ruff: noqa: PTH100, PTH109, PTH112, PTH118, PTH120, PTH208 - importing pathlib costs more than all of this
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

GATED = frozenset(
    {
        "PreToolUse",
        "UserPromptSubmit",
        # Gemini CLI
        "BeforeTool",
        "BeforeAgent",
        "BeforeModel",
        # opencode
        "tool.execute.before",
        "chat.message",
    }
)
"""Events before a tool call or a new prompt: what they refuse does not happen. Others' refusals mean other things."""
REFUSED = 2
"""Refuses in every client that runs a command: Claude Code, Codex, Gemini CLI; opencode's plugin throws on it."""
PAUSE_S = 3.0
"""So long a refused tool call takes where the client would ask its model at once what to do instead: measured, Codex
made 30 refused calls a second. Below the time that clients give a hook."""
STOP_HERE = "Don't try again: nothing may be spent until a person lifts this. Stop here."
HELD = "Held"
"""The event as it is told where a call or prompt was refused: it is no sign of work, and proves no prompt taken."""

_ENDS_BY_ITSELF = frozenset({"claude", "opencode"})
"""Clients that need no such pause here: one ends its turn, the other's plugin waits itself."""
_TOOL_CALLS = frozenset({"PreToolUse", "BeforeTool", "tool.execute.before"})
_ABOUT = ("prompt", "tool_name", "error", "message", "reason", "source", "trigger")
"""What an event is about, in the clients' own names, best first."""


def main(words: list[str]) -> int:
    """Take the event that ``words`` name, from standard input, into the spool. Returns 0, or 2 to refuse it.

    ``words``: the event, then where the agent's hold stands and which client asks. Without a place the one is asked
    that the project's folder tells of.
    """
    event, gate, client = (*words, "", "", "")[:3]
    why = _hold(gate) if event in GATED else ""  # before anything that may fail
    try:
        told = _object(_read(0))
        event = event or _text(told, "hook_event_name")
        if event in GATED and not gate:
            gate = _gate_of(told)
            why = _hold(gate)
        _take(event, told, gated=bool(gate), refused=bool(why))
    except Exception as error:  # noqa: BLE001 - the port to someone else's program: nothing may come through
        from teamops.sdk.spool import warn

        warn(f"a hook's event was lost: {type(error).__name__}: {error}")
    return _refuse(event, client, why) if why else 0


def _hold(gate: str) -> str:
    """Return why the agent may not spend; empty = it may. Never raises."""
    if not gate:
        return ""
    try:
        from teamops.guard.holds import reason

        return reason(gate)
    except Exception as error:  # noqa: BLE001 - a gate that can't be seen is shut
        return f"held: its gate can't be asked ({type(error).__name__}: {error})"


def _gate_of(told: dict[str, object]) -> str:
    """Return where the hold of an agent would stand that was started without being told; empty = not known."""
    from teamops.sdk.spool import project_of, role_of

    role = role_of(os.environ.get("TEAMOPS_ROLE", ""))
    project = os.environ.get("TEAMOPS_PROJECT") or project_of(_text(told, "cwd") or os.getcwd())
    if role is None or not project:
        return ""
    try:
        from _blake2 import blake2b
    except ImportError:
        return ""
    mark = "-" + blake2b(os.fsencode(os.path.realpath(project)), digest_size=6).hexdigest()
    for base in _state_dirs():
        try:
            names = os.listdir(base)
        except OSError:
            continue
        for name in names:
            if name.endswith(mark) and os.path.isdir(os.path.join(base, name, "holds")):
                return os.path.join(base, name, "holds", role)
    return ""


def _state_dirs() -> list[str]:
    """Return where a person's state directory may be."""
    home = os.environ.get("HOME", "")
    named = (os.environ.get("TEAMOPS_STATE_DIR", ""), os.environ.get("XDG_STATE_HOME", ""))
    places = [named[0], named[1] and os.path.join(named[1], "teamops")]
    if home:
        places += [f"{home}/.local/state/teamops", f"{home}/Library/Application Support/teamops"]
    return [place for place in places if place]


def _refuse(event: str, client: str, why: str) -> int:
    """Refuse the event in the client's own way.

    Claude Code heeds standard output beside the status: a word on it ends the turn, so that the model isn't asked what
    to do about the refusal. Others ask it; there the refusal takes its time, in which the client is interrupted.
    """
    try:
        if client == "claude" and event == "PreToolUse":
            from _json import encode_basestring_ascii

            said = encode_basestring_ascii(f"teamops: {why}")
            own = f'{{"hookEventName":"{event}","permissionDecision":"deny","permissionDecisionReason":{said}}}'
            sys.stdout.write(f'{{"continue":false,"stopReason":{said},"hookSpecificOutput":{own}}}\n')
            sys.stdout.flush()
        sys.stderr.write(f"teamops: {why}\n{STOP_HERE}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # nobody reads why; it is refused all the same
    if client not in _ENDS_BY_ITSELF and event in _TOOL_CALLS:
        import time

        time.sleep(PAUSE_S)
    return REFUSED


def _take(event: str, told: dict[str, object], *, gated: bool = False, refused: bool = False) -> None:
    import time
    from _json import encode_basestring_ascii

    from teamops.sdk.spool import Spool, project_of, role_of

    role = role_of(os.environ.get("TEAMOPS_ROLE", ""))
    project = os.environ.get("TEAMOPS_PROJECT") or project_of(_text(told, "cwd") or os.getcwd())
    if role is None or not event or not project or not os.path.isdir(project):
        return  # no agent of a team: a person's own session with the same settings
    about = _about(told)
    if refused:
        event, about = HELD, f"{event}: {about}" if about else event
    line = f'{{"v":1,"t":{time.time():.3f},"pid":{_client()},"kind":"hook"'
    for name, value in (
        ("hook", event[:MAX_EVENT]),
        ("session", _text(told, "session_id")[:100]),
        ("transcript", _text(told, "transcript_path")[:1000]),
        ("detail", about[:MAX_DETAIL]),
    ):
        if value:
            line += f',"{name}":{encode_basestring_ascii(value)}'
    line += ',"gated":true' if gated else ""
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
