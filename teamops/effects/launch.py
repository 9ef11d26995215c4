"""How each client is started: the one place that knows what teamops adds to a person's command.

What the person wrote wins: an argument of theirs is never doubled, and a command that is not the client itself (a
shell, npx, a wrapper) gets the environment alone. Source: Claude Code 2.1.330, Codex 0.171, by their own help and by
trial.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from teamops.config.settings import RoleSettings
from teamops.effects.launch_gemini import gemini
from teamops.effects.launch_opencode import opencode
from teamops.effects.launch_trust import codex_trust
from teamops.effects.recipe import CODEX_SANDBOX, HOOK_TIMEOUT_S, Recipe, Wanted, entry, given, is_begun, is_uuid
from teamops.guard.hook import GATED
from teamops.model.agent_report import Launch
from teamops.model.boundary import Held
from teamops.usage.locate import homes
from teamops.usage.locate_codex import home as codex_home

CLAUDE_EVENTS = (
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PermissionRequest",
    "PostToolUse",
    "Notification",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "SessionEnd",
)
CODEX_EVENTS = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "Stop")
_CODEX_COMMANDS = frozenset({"resume", "fork", "exec", "e", "review", "cloud", "app-server", "mcp-server"})
_LOGIN_SHELL, _LOGIN_PATH = "allow_login_shell", "/usr/local/bin:/usr/bin:/bin"
"""Codex' setting, and what every login has on its PATH."""
_CLAUDE_SESSION = ("--session-id", "--resume", "-r", "--continue", "-c", "--from-pr", "--teleport", "--cloud")
_CLAUDE_PROMPT = (
    "--append-system-prompt",
    "--append-system-prompt-file",
    "--system-prompt",
    "--system-prompt-file",
)


def recipe(role: RoleSettings, root: Path, folder: Path, launch: Launch | None = None) -> Recipe:
    """Return how ``role`` is started in the project ``root``; ``launch``: what ran for it last, to be resumed.

    ``folder``: the project's in the person's state directory, where its files go. Raises ``ConfigError`` where the
    role's profile can't be used.
    """
    path = _path_with_teamops({**os.environ, **role.env})
    env = {**role.env, **path, "TEAMOPS_ROLE": str(role.role), "TEAMOPS_PROJECT": str(root)}
    if not role.command or role.client not in _CLIENTS:
        return Recipe(argv=role.command, env=env)
    if Path(role.command[0]).name != role.client:
        note = f"its command is not {role.client} itself: started as it is, without profile, events or resume"
        return Recipe(argv=role.command, env=env, notes=(note,))
    known = launch.client_session if launch is not None and launch.client == role.client else ""
    profile = role.profile.read().body if role.profile is not None else ""
    wanted = Wanted(role=role, env=env, folder=folder, known=known, profile=profile)
    return _CLIENTS[role.client](wanted)


def _claude(wanted: Wanted) -> Recipe:
    role, words, known, added, notes = wanted.role, wanted.words, wanted.known, [], []
    files: dict[Path, str] = {}
    session, resumed, hooked = "", False, False
    if given(words, _CLAUDE_SESSION):
        notes.append("its session is chosen by its own command")
    elif known and is_uuid(known) and _has_transcript(known, wanted.around):
        session, resumed = known, True
        added += ["--resume", session]
    else:
        session = str(uuid.uuid4())
        added += ["--session-id", session]
    if given(words, _CLAUDE_PROMPT):
        notes.append("its system prompt is chosen by its own command")
    elif wanted.profile:
        path = wanted.folder / "agents" / f"{role.role}.md"
        files[path] = wanted.profile
        added += ["--append-system-prompt-file", str(path)]
    if given(words, ("--settings",)):
        notes.append(
            "its settings are chosen by its own command: no events of its own, and no hooks that hold its role"
        )
    else:
        path = wanted.folder / "agents" / f"{role.role}.settings.json"
        own = {"disableAllHooks": False, "hooks": _hooks(CLAUDE_EVENTS, wanted.gate)}
        files[path] = json.dumps(own, indent=1) + "\n"
        added += ["--settings", str(path)]
        hooked = True
    return Recipe(
        argv=(role.command[0], *added, *words),  # before a prompt of the person's own, if there is one
        env=wanted.env,
        client_session=session,
        resumed=resumed,
        files=files,
        holds=wanted.folder,
        notes=tuple(notes),
        held=Held(hooked=hooked),
    )


def _codex(wanted: Wanted) -> Recipe:
    role, words, known, added, notes = wanted.role, wanted.words, wanted.known, [], []
    if not given(words, ("--no-daemon", "--remote")):
        added.append("--no-daemon")  # else the agent would be a process of a shared server, out of its pane
    if any("developer_instructions" in word for word in words):
        notes.append("its instructions are chosen by its own command")
    elif wanted.profile:
        added += ["-c", f"developer_instructions={json.dumps(wanted.profile)}"]
    added += codex_trust(wanted)
    if not _finds_teamops(wanted):
        added += ["-c", f"{_LOGIN_SHELL}=false"]  # else its shell has the PATH of a login, without teamops
    own = _own_codex_hooks(wanted) or next((word for word in words if word.startswith("hooks.")), "")
    if own:
        # The flag that trusts ours would trust these, too, and nobody may have looked at them.
        notes.append(f"no events of its own, and no hooks that hold its role: there are other hooks ({own})")
    else:
        for event in CODEX_EVENTS:
            command = json.dumps(entry(event, wanted.gate, "codex"))
            added += ["-c", f"hooks.{event}=[{{hooks=[{{type='command',command={command}}}]}}]"]
        added.append("--dangerously-bypass-hook-trust")
    if not _chooses_sandbox(wanted):
        added += CODEX_SANDBOX
    resume: tuple[str, ...] = ()
    if any(word in _CODEX_COMMANDS for word in words):
        notes.append("its session is chosen by its own command")
    elif known and is_uuid(known) and _has_rollout(known, wanted.around):
        resume = ("resume", known)
    return Recipe(
        argv=(role.command[0], *resume, *added, *words),  # before a prompt of the person's own, if there is one
        env=wanted.env,
        client_session=known if resume else "",
        resumed=bool(resume),
        holds=wanted.folder,
        notes=tuple(notes),
        held=Held(hooked=not own),
    )


def _path_with_teamops(env: Mapping[str, str]) -> dict[str, str]:
    """Return the PATH with which an agent finds teamops, last of all; nothing where it finds it without that."""
    path, program = env.get("PATH", os.defpath), Path(sys.executable).parent / "teamops"
    if shutil.which("teamops", path=path) or not os.access(program, os.X_OK):
        return {}
    return {"PATH": f"{path}{os.pathsep}{program.parent}"}


def _finds_teamops(wanted: Wanted) -> bool:
    """Return whether codex' shell, by default a login's, has teamops on its PATH, or the person chose the shell."""
    if any(_LOGIN_SHELL in word for word in wanted.words):
        return True
    home = codex_home(wanted.around)
    if home is not None and _LOGIN_SHELL in _read(home / "config.toml"):
        return True
    return shutil.which("teamops", path=_LOGIN_PATH) is not None


def _chooses_sandbox(wanted: Wanted) -> bool:
    """Return whether the person has said how the client's own sandbox is, on the command line or in its files."""
    words = wanted.words
    if given(words, ("-s", "--sandbox", "-p", "--profile", "--full-auto", "--yolo")):
        return True
    if any(word.startswith("--dangerously-bypass-approvals") or "sandbox" in word for word in words):
        return True
    return any("sandbox_mode" in _read(folder / "config.toml") for folder in _codex_folders(wanted))


def _codex_folders(wanted: Wanted) -> list[Path]:
    home, role = codex_home(wanted.around), wanted.role
    return [*([home] if home is not None else []), *(folder / ".codex" for folder in (role.cwd, *role.cwd.parents))]


def _read(path: Path) -> str:
    """Return what stands there; of what can't be read nobody knows, so it may say anything."""
    try:
        return path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError:
        return "sandbox_mode"


def _own_codex_hooks(wanted: Wanted) -> str:
    """Return where hooks are that codex would run besides those of teamops; empty = nowhere."""
    for folder in _codex_folders(wanted):
        if _has_hooks(folder / "hooks.json"):
            return str(folder / "hooks.json")
        try:
            text = (folder / "config.toml").read_text("utf-8", "replace")
        except FileNotFoundError:
            continue
        except OSError:
            return str(folder / "config.toml")
        if "hooks" in text or "plugins" in text:
            return str(folder / "config.toml")
    return ""


def _has_hooks(path: Path) -> bool:
    """Return whether a file of hooks is there that holds any, or can't be read: an empty one is made to be held."""
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError:
        return False
    except (OSError, ValueError, RecursionError):
        return True
    return told not in ({}, {"hooks": {}})


def _hooks(events: Sequence[str], gate: str) -> dict[str, object]:
    told: dict[str, object] = {}
    for event in events:
        one: dict[str, object] = {
            "type": "command",
            "command": entry(event, gate, "claude"),
            "timeout": HOOK_TIMEOUT_S,
        }
        if event in GATED:
            one["onFailure"] = "block"
        told[event] = [{"matcher": "*", "hooks": [one]}]
    return told


def _has_transcript(session: str, env: Mapping[str, str]) -> bool:
    """Return whether the session can be resumed: Claude Code refuses one in which nobody has said anything yet."""
    return any(is_begun(path) for home in homes(env) for path in (home / "projects").glob(f"*/{session}.jsonl"))


def _has_rollout(session: str, env: Mapping[str, str]) -> bool:
    home = codex_home(env)
    return home is not None and any(True for _ in (home / "sessions").glob(f"*/*/*/rollout-*-{session}.jsonl"))


_CLIENTS = {"claude": _claude, "codex": _codex, "gemini": gemini, "opencode": opencode}
