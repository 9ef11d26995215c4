"""The entry of the clients' hooks: one event, one line in the agent's spool.

Run at every tool call, so it is light, and as a program of its own it needs no installed package. It waits at most two
seconds for its input, and holds its client back in two cases. The agent may not spend: then tool calls and prompts are
refused. Its role may not do what a tool call would do: then that call is, with what to do instead; so it is where this
program fails. The reason is on standard error, the status 2; all else ends with 0.
"""

# ruff: noqa: PTH100, PTH109, PTH112, PTH118, PTH120, PTH208 - importing pathlib costs more than all of this
from __future__ import annotations

import os
import sys

DEADLINE_S = 2.0
"""So long the client may take to hand over its event."""
ALARM_S = 4.5
"""After so long before a tool call or prompt this program refuses it and ends; clients wait a little longer."""
MAX_BYTES = 16 << 20
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
DENIED = "Denied"
"""The event as it is told where a role's boundary refused a tool call: the agent works, and no tool of its does."""
SPENDING = "held"
"""The rule that is told of where the agent may not spend."""
SEAL = "teamops:ok"
"""What begins the answer where something else looks at it before the client does: without it nothing is let through."""
SEALED = "sealed"

ASK = "tell the person who runs teamops"
Said = tuple[str, str, str, str]

_HEARING = frozenset({"claude", "codex", "gemini"})
"""Clients that take a word on standard output beside letting something through."""
_ENDS_BY_ITSELF = frozenset({"claude", "opencode"})
"""Clients that need no such pause here: one ends its turn, the other's plugin waits itself."""
_TOOL_CALLS = frozenset({"PreToolUse", "BeforeTool", "tool.execute.before"})
_ABOUT = ("prompt", "tool_name", "error", "message", "reason", "source", "trigger")
"""What an event is about, in the clients' own names, best first."""


def main(words: list[str]) -> int:
    """Take the event that ``words`` name, from standard input, into the spool. Returns 0, or 2 to refuse it.

    ``words``: the event, then where the agent's hold stands, which client asks, and SEALED where its answer is looked
    at. Without a place the one is asked that the project's folder tells of.
    """
    from teamops.sdk.bytecode import keep_whole

    keep_whole()
    event, gate, client, sealed = (*words, "", "", "", "")[:4]
    why = ""
    denied: Said | None = None
    if event in GATED:
        _watch_clock()
        why = _hold(gate)  # before anything that may fail
    try:
        told = _object(_read(0))
        event = event or _text(told, "hook_event_name")
        ruled = gate
        if event in GATED and not gate:
            gate = _gate_of(told)
            why = _hold(gate)
            ruled = gate if gate and _has_policy(gate) else ""  # else a team that was never started
        if event in _TOOL_CALLS and ruled and not why:
            denied = _judged(ruled, told)
        held = ("deny", SPENDING, _text(told, "tool_name") or event, why) if why else None
        _take(event, told, gated=bool(gate), refused=bool(why), said=held or denied)
    except Exception as error:  # noqa: BLE001 - the port to someone else's program: nothing may come through
        from teamops.sdk.spool import warn

        warn(f"a hook's event was lost: {type(error).__name__}: {error}")
        if event in _TOOL_CALLS and gate and denied is None:
            denied = _failed(error)
    if why:
        return _refuse(event, client, why)
    return _answer(event, client, denied, sealed=sealed == SEALED)


def _watch_clock() -> None:
    """Refuse what takes too long to decide: a client that waits no longer would let it through."""
    import _signal  # type: ignore[import-not-found]  # `signal` without the cost of its enums

    _signal.signal(_signal.SIGALRM, _too_late)
    _signal.setitimer(_signal.ITIMER_REAL, ALARM_S)


def _too_late(_signal: int, _frame: object) -> None:
    os.write(2, f"teamops: not decided within {ALARM_S} s, so not let through; {ASK}\n".encode())
    os._exit(REFUSED)


def _has_policy(gate: str) -> bool:
    from teamops.guard.policy import beside

    return os.path.lexists(beside(gate))


def _judged(gate: str, told: dict[str, object]) -> Said:
    """Return what the role's boundary says of a tool call: verdict, rule, about, and the words for the agent."""
    try:
        from teamops.guard.decide import decide
        from teamops.guard.policy import beside, read

        tool, policy = _text(told, "tool_name"), read(beside(gate))
        if not tool and not policy.get("unruled"):
            return "deny", "hook", "", f"the call can't be read, so it is not let through; {ASK}"
        said = decide(policy, tool, told.get("tool_input"), _text(told, "cwd"))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong here lets nothing through
        return _failed(error)
    return said.verdict, said.rule, said.about, str(said)


def _failed(error: Exception) -> Said:
    why = f"teamops' own check failed ({type(error).__name__}: {error}), so nothing is let through; {ASK}"
    return "deny", "hook", "", why


def _answer(event: str, client: str, said: Said | None, *, sealed: bool) -> int:
    """Let the event through or not, with a word for the agent where the boundary has one."""
    verdict, _, _, words = said or ("allow", "", "", "")
    try:
        if verdict == "deny":
            sys.stderr.write(f"teamops: {words}\n")
            sys.stderr.flush()
            return REFUSED
        if sealed:
            sys.stdout.write(SEAL)
        if verdict == "warn" and client in _HEARING:
            from _json import encode_basestring_ascii

            text = encode_basestring_ascii(f"teamops: {words}")
            own = f',"hookSpecificOutput":{{"hookEventName":"{event}","additionalContext":{text}}}'
            sys.stdout.write(f'{{"systemMessage":{text}{own if client == "claude" else ""}}}\n')
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        return REFUSED if verdict == "deny" or sealed else 0  # nobody hears it
    return 0


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


def _take(event: str, told: dict[str, object], *, gated: bool, refused: bool, said: Said | None) -> None:
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
    elif said is not None and said[0] == "deny":
        event, about = DENIED, f"{event}: {about}" if about else event
    line = f'{{"v":1,"t":{time.time():.3f},"pid":{_client()},"kind":"hook"'
    for name, value in (
        ("hook", event[:MAX_EVENT]),
        ("session", _text(told, "session_id")[:100]),
        ("transcript", _text(told, "transcript_path")[:1000]),
        ("detail", about[:MAX_DETAIL]),
        *zip(("verdict", "rule", "about", "why"), (text[:MAX_DETAIL] for text in said or ()), strict=False),
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
