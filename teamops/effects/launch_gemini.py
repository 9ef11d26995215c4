"""How Gemini CLI is started.

It takes settings that are not the person's or the project's own from root alone. Where teamops runs as root, and all
above its state folder is root's, profile and hooks come in a settings file of the lowest rank: what the person and the
project set wins, and lists of hooks are joined. Elsewhere the profile is the first prompt of a new session, and there
are no events. Source: Gemini CLI 0.61, its own documentation and by trial.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from teamops.effects.launch_trust import gemini_trust
from teamops.effects.recipe import HOOK_TIMEOUT_S, Recipe, Wanted, entry, given, is_begun, is_uuid
from teamops.model.boundary import Held
from teamops.usage.locate_gemini import chats, home, is_chat

EVENTS = (
    "SessionStart",
    "BeforeAgent",
    "BeforeTool",
    "AfterTool",
    "Notification",
    "AfterAgent",
    "PreCompress",
    "SessionEnd",
)
DEFAULTS = "GEMINI_CLI_SYSTEM_DEFAULTS_PATH"
_OWN_DEFAULTS = (
    Path("/Library/Application Support/GeminiCli/system-defaults.json")
    if sys.platform == "darwin"
    else Path("/etc/gemini-cli/system-defaults.json")
)
_PROMPT = ("-i", "--prompt-interactive", "-p", "--prompt")
_SWITCHES = frozenset({"-d", "--debug", "-s", "--sandbox", "-y", "--yolo", "--skip-trust", "--screen-reader"})
"""Its options that take no value."""
_SESSION = ("--session-id", "--resume", "-r", "--session-file")
MAX_SETTINGS = 1 << 20


def gemini(wanted: Wanted) -> Recipe:
    """Return how the agent is started."""
    words, notes = wanted.words, []
    added, session, resumed = [], "", False
    if given(words, _SESSION):
        notes.append("its session is chosen by its own command")
    elif wanted.known and is_uuid(wanted.known) and _has_chat(wanted):
        session, resumed = wanted.known, True
        added.append(f"--resume={session}")
    else:
        session = str(uuid.uuid4())
        added.append(f"--session-id={session}")
    env, files, inner = dict(wanted.env), dict[Path, str](), ""
    path = wanted.folder.resolve() / "agents" / f"{wanted.role.role}.gemini.json"  # the client looks at all above it
    taken = wanted.around.get(DEFAULTS) or (str(_OWN_DEFAULTS) if _OWN_DEFAULTS.exists() else "")
    hooked = True
    if not taken and is_of_root(path):
        files = _files(wanted, path)
        env[DEFAULTS] = str(path)
        inner = str(path.with_suffix("")) if wanted.profile else ""
    else:
        why = f"its defaults are set by {taken}" if taken else "it takes hooks only from root, you or the project"
        hooked = _tells(wanted)
        if not hooked:
            notes.append(
                f"no events of its own, and no hooks that hold its role: {why}; docs/agents.md says how you give them"
            )
        if wanted.profile and not resumed:
            if given(words, _PROMPT) or _has_query(words):
                notes.append("no profile: its first prompt is chosen by its own command")
            else:
                added.append(f"--prompt-interactive={wanted.profile}")
    trust_env, trust_files, trouble = gemini_trust(wanted, path.with_suffix(".trusted.json"), inner)
    notes += [trouble] if trouble else []
    return Recipe(
        argv=(wanted.role.command[0], *added, *words),
        env={**env, **trust_env},
        client_session=session,
        resumed=resumed,
        files={**files, **trust_files},
        holds=wanted.folder,
        notes=tuple(notes),
        held=Held(hooked=hooked),
    )


def is_of_root(path: Path) -> bool:
    """Return whether a file that this process makes there, and all above it, is root's, and nobody else may change it.

    The client asks for just that.
    """
    if os.geteuid() != 0:
        return False
    for folder in path.resolve().parents:
        try:
            told = folder.stat()
        except FileNotFoundError:
            continue  # it will be made
        except OSError:
            return False
        if told.st_uid != 0 or told.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return False
    return True


def _files(wanted: Wanted, path: Path) -> dict[Path, str]:
    told: dict[str, object] = {
        # No line on its screen at each event. It is the lowest rank: a person's own setting wins.
        "hooksConfig": {"notifications": False},
    }
    if not _tells(wanted):
        told["hooks"] = {event: [{"hooks": [_hook(event, wanted.gate)]}] for event in EVENTS}
    files: dict[Path, str] = {}
    if wanted.profile:
        place = path.with_suffix("")
        files[place / _file_name(wanted)] = wanted.profile
        told["context"] = {"includeDirectories": [str(place)], "loadMemoryFromIncludeDirectories": True}
    files[path] = json.dumps(told, indent=1) + "\n"
    return files


def _has_query(words: Sequence[str]) -> bool:
    """Return whether one of the words is a prompt: not an option, nor the value of one."""
    before = ["--", *words]
    return any(
        not word.startswith("-") and (last in _SWITCHES or not last.startswith("-") or last == "--" or "=" in last)
        for last, word in zip(before, words, strict=False)
    )


def _hook(event: str, gate: str) -> dict[str, object]:
    command = entry(event, gate, "gemini")
    return {"name": f"teamops-{event}", "type": "command", "command": command, "timeout": HOOK_TIMEOUT_S * 1000}


def _has_chat(wanted: Wanted) -> bool:
    """Return whether the session can be resumed: without a prompt of the person's there is nothing to resume."""
    at = home(wanted.around)
    folder = chats(at, wanted.role.cwd) if at is not None else None
    if folder is None:
        return False
    try:
        return any(is_chat(path.name, wanted.known) and is_begun(path) for path in folder.iterdir())
    except OSError:
        return False


def _file_name(wanted: Wanted) -> str:
    """Return the name of the files that the client reads as its context, as the person or the project sets it."""
    for path in _settings(wanted):
        try:
            with path.open("rb") as file:
                told = json.loads(file.read(MAX_SETTINGS))
            name = told["context"]["fileName"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        name = name[0] if isinstance(name, list) and name else name
        if isinstance(name, str) and name and Path(name).name == name:
            return name
    return "GEMINI.md"


def _tells(wanted: Wanted) -> bool:
    """Return whether the person or the project has teamops told of events."""
    for path in _settings(wanted):
        try:
            with path.open("rb") as file:
                if b"teamops hook " in file.read(MAX_SETTINGS):
                    return True
        except OSError:
            continue
    return False


def _settings(wanted: Wanted) -> Iterator[Path]:
    yield wanted.role.cwd / ".gemini" / "settings.json"
    at = home(wanted.around)
    if at is not None:
        yield at / "settings.json"
