"""How Gemini CLI is started.

Its profile and its hooks come in a settings file of their own, at the place of the lowest rank: what the person and the
project set wins, and lists of hooks are joined. Source: Gemini CLI 0.61, its own documentation and by trial.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

from teamops.effects.recipe import HOOK_TIMEOUT_S, Recipe, Wanted, entry, given, is_uuid
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
    files: dict[Path, str] = {}
    env = dict(wanted.env)
    taken = wanted.around.get(DEFAULTS) or (str(_OWN_DEFAULTS) if _OWN_DEFAULTS.exists() else "")
    if taken:
        notes.append(f"no profile and no events of its own: its defaults are set by {taken}")
    else:
        told: dict[str, object] = {
            # No line on its screen at each event; it is asked for as a switch, so a person's own setting wins.
            "hooksConfig": {"notifications": False},
            "hooks": {event: [{"hooks": [_hook(event)]}] for event in EVENTS},
        }
        if wanted.profile:
            place = wanted.folder / "agents" / f"{wanted.role.role}.gemini"
            files[place / _file_name(wanted)] = wanted.profile
            told["context"] = {"includeDirectories": [str(place)], "loadMemoryFromIncludeDirectories": True}
        path = wanted.folder / "agents" / f"{wanted.role.role}.gemini.json"
        files[path] = json.dumps(told, indent=1) + "\n"
        env[DEFAULTS] = str(path)
    return Recipe(
        argv=(wanted.role.command[0], *added, *words),
        env=env,
        client_session=session,
        resumed=resumed,
        files=files,
        notes=tuple(notes),
    )


def _hook(event: str) -> dict[str, object]:
    return {"name": f"teamops-{event}", "type": "command", "command": entry(event), "timeout": HOOK_TIMEOUT_S * 1000}


def _has_chat(wanted: Wanted) -> bool:
    """Return whether the session can be resumed: without a prompt of the person's there is nothing to resume."""
    at = home(wanted.around)
    folder = chats(at, wanted.role.cwd) if at is not None else None
    if folder is None:
        return False
    try:
        return any(is_chat(path.name, wanted.known) and _is_begun(path) for path in folder.iterdir())
    except OSError:
        return False


def _is_begun(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return any(b'"type":"user"' in line.replace(b'": "', b'":"') for line in file)
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


def _settings(wanted: Wanted) -> Iterator[Path]:
    yield wanted.role.cwd / ".gemini" / "settings.json"
    at = home(wanted.around)
    if at is not None:
        yield at / "settings.json"
