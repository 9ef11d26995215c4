"""How each client is started: the one place that knows what teamops adds to a person's command.

What the person wrote wins: an argument of theirs is never doubled, and a command that is not the client itself (a
shell, npx, a wrapper) gets the environment alone. Source: Claude Code 2.1.330, Codex 0.171, by their own help and by
trial.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from teamops.config.settings import RoleSettings
from teamops.guard import holds, hook
from teamops.model.agent_report import Launch
from teamops.model.errors import TeamopsError
from teamops.usage.locate import homes

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
HOOK_TIMEOUT_S = 5
"""So long a client waits for the hook entry, which itself ends within two seconds."""
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLAUDE_SESSION = ("--session-id", "--resume", "-r", "--continue", "-c", "--from-pr", "--teleport", "--cloud")
_CLAUDE_PROMPT = (
    "--append-system-prompt",
    "--append-system-prompt-file",
    "--system-prompt",
    "--system-prompt-file",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one agent is started."""

    argv: tuple[str, ...]
    """Empty: no command is configured."""
    env: Mapping[str, str]
    client_session: str = ""
    """The client's own session; empty = the client chooses one, or has none."""
    resumed: bool = False
    files: Mapping[Path, str] = field(default_factory=dict)
    """What has to be written before: path → text."""
    holds: Path | None = None
    """The project's folder in the state directory, where its hooks look for holds: shut as long as it is missing."""
    notes: tuple[str, ...] = ()
    """What teamops leaves out, for a person."""

    def write(self) -> None:
        """Write the files, each for this user alone. Raises ``TeamopsError`` where that can't be done."""
        if self.holds is not None:
            try:
                holds.prepare(str(self.holds))
            except OSError as error:
                raise TeamopsError(
                    f"can't make {self.holds / holds.FOLDER}: {error.strerror or error}",
                    "mend the folder's rights or free disk space",
                ) from error
        for path, text in self.files.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made 0600
                with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, not a path
                    file.write(text)
                Path(name).replace(path)
            except OSError as error:
                raise TeamopsError(
                    f"can't write {path}: {error.strerror or error}", "mend the folder's rights or free disk space"
                ) from error


def recipe(role: RoleSettings, root: Path, folder: Path, launch: Launch | None = None) -> Recipe:
    """Return how ``role`` is started in the project ``root``; ``launch``: what ran for it last, to be resumed.

    ``folder``: the project's in the person's state directory, where its files go. Raises ``ConfigError`` where the
    role's profile can't be used.
    """
    env = {**role.env, "TEAMOPS_ROLE": str(role.role), "TEAMOPS_PROJECT": str(root)}
    plain = Recipe(argv=role.command, env=env)
    if not role.command or role.client in ("sdk", "command"):
        return plain
    if Path(role.command[0]).name != role.client:
        note = f"its command is not {role.client} itself: started as it is, without profile, events or resume"
        return Recipe(argv=role.command, env=env, notes=(note,))
    known = launch.client_session if launch is not None and launch.client == role.client else ""
    profile = role.profile.read().body if role.profile is not None else ""
    if role.client == "claude":
        return _claude(role, plain, folder, known, profile)
    if role.client == "codex":
        return _codex(role, plain, folder, known, profile)
    note = f"teamops hands {role.client} no profile and gets no events of its own from it; its session is not resumed"
    return Recipe(argv=role.command, env=env, notes=(note,))


def _claude(role: RoleSettings, plain: Recipe, folder: Path, known: str, profile: str) -> Recipe:
    words, added, notes = role.command[1:], [], []
    gate = holds.path_of(str(folder), role.role)
    files: dict[Path, str] = {}
    session, resumed = "", False
    if _given(words, _CLAUDE_SESSION):
        notes.append("its session is chosen by its own command")
    elif known and _ID.fullmatch(known) and _has_transcript(known, {**os.environ, **role.env}):
        session, resumed = known, True
        added += ["--resume", session]
    else:
        session = str(uuid.uuid4())
        added += ["--session-id", session]
    if _given(words, _CLAUDE_PROMPT):
        notes.append("its system prompt is chosen by its own command")
    elif profile:
        path = folder / "agents" / f"{role.role}.md"
        files[path] = profile
        added += ["--append-system-prompt-file", str(path)]
    if _given(words, ("--settings",)):
        notes.append("its settings are chosen by its own command: no events of its own")
    else:
        path = folder / "agents" / f"{role.role}.settings.json"
        own = {"disableAllHooks": False, "hooks": _hooks(CLAUDE_EVENTS, gate, "claude")}
        files[path] = json.dumps(own, indent=1) + "\n"
        added += ["--settings", str(path)]
    return Recipe(
        argv=(role.command[0], *added, *words),  # before a prompt of the person's own, if there is one
        env=plain.env,
        client_session=session,
        resumed=resumed,
        files=files,
        holds=folder,
        notes=tuple(notes),
    )


def _codex(role: RoleSettings, plain: Recipe, folder: Path, known: str, profile: str) -> Recipe:
    words, added, notes = role.command[1:], [], []
    if not _given(words, ("--no-daemon", "--remote")):
        added.append("--no-daemon")  # else the agent would be a process of a shared server, out of its pane
    if any("developer_instructions" in word for word in words):
        notes.append("its instructions are chosen by its own command")
    elif profile:
        added += ["-c", f"developer_instructions={json.dumps(profile)}"]
    own = _own_codex_hooks(role) or next((word for word in words if word.startswith("hooks.")), "")
    if own:
        # The flag that trusts ours would trust these, too, and nobody may have looked at them.
        notes.append(f"no events of its own: there are other hooks ({own})")
    else:
        gate = holds.path_of(str(folder), role.role)
        for event in CODEX_EVENTS:
            entry = json.dumps(_entry(event, gate, "codex"))
            added += ["-c", f"hooks.{event}=[{{hooks=[{{type='command',command={entry}}}]}}]"]
        added.append("--dangerously-bypass-hook-trust")
    tail: tuple[str, ...] = ()
    if any(not word.startswith("-") for word in words[:1]):
        notes.append("its session is chosen by its own command")
        known = ""
    elif known and _ID.fullmatch(known):
        tail = ("resume", known)
    else:
        known = ""
    return Recipe(
        argv=(role.command[0], *added, *words, *tail),
        env=plain.env,
        client_session=known,
        resumed=bool(tail),
        holds=folder,
        notes=tuple(notes),
    )


def _own_codex_hooks(role: RoleSettings) -> str:
    """Return where hooks are that codex would run besides those of teamops; empty = nowhere."""
    env = {**os.environ, **role.env}
    home = Path(env.get("CODEX_HOME") or Path(env.get("HOME") or "/") / ".codex")
    folders = [home, *(folder / ".codex" for folder in (role.cwd, *role.cwd.parents))]
    for folder in folders:
        if (folder / "hooks.json").exists():
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


def _hooks(events: Sequence[str], gate: str, client: str) -> dict[str, object]:
    """Return Claude Code's hooks in the form of its settings."""
    return {
        event: [
            {
                "matcher": "*",
                "hooks": [{"type": "command", "command": _entry(event, gate, client), "timeout": HOOK_TIMEOUT_S}],
            }
        ]
        for event in events
    }


def entry_words(event: str, gate: str, client: str) -> list[str]:
    """Return the program that a client runs at an event. ``gate``: where the agent's hold would stand.

    The place stands in the words, so that nothing in the agent's environment leads elsewhere.
    """
    gated = [gate, client] if event in hook.GATED else []
    return [sys.executable, "-I", "-S", str(hook.__file__), event, *gated]


def _entry(event: str, gate: str, client: str) -> str:
    """Return the command with which a client tells of an event. It goes through the client's shell.

    One that can't even be run refuses, where refusing is its office: a gate that can't be seen is shut.
    """
    command = shlex.join(entry_words(event, gate, client))
    return f"{command} || exit {hook.REFUSED}" if event in hook.GATED else command


def _given(words: Sequence[str], names: Sequence[str]) -> bool:
    return any(word == name or word.startswith(f"{name}=") for word in words for name in names)


def _has_transcript(session: str, env: Mapping[str, str]) -> bool:
    return any(True for home in homes(env) for _ in (home / "projects").glob(f"*/{session}.jsonl"))
