"""Where Gemini CLI keeps the chats of a project.

Source: Gemini CLI 0.61. ``~/.gemini/tmp/<name>/`` holds ``.project_root``, the project's path, and ``chats/``; older
ones name the folder by the path's SHA-256. A chat's file is made when the client starts and is not held open, so of two
clients in one project the session id alone tells whose is whose.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

MAX_ROOT_BYTES = 8192
_SESSION = re.compile(rb'"sessionId": ?"([0-9A-Za-z-]{8,64})"')
_SHORT = 8
"""Characters of the session id that end a chat's name."""


def home(env: Mapping[str, str]) -> Path | None:
    """Return where a client that runs with ``env`` keeps its files; ``None`` = can't be known."""
    base = env.get("GEMINI_CLI_HOME") or env.get("HOME")
    return Path(base) / ".gemini" if base else None


def chats(home: Path, cwd: Path) -> Path | None:
    """Return the folder of the chats that begin in ``cwd``, whether there are any yet; ``None`` = no such project."""
    real = os.path.realpath(cwd)
    hashed = home / "tmp" / hashlib.sha256(real.encode()).hexdigest()
    try:
        for folder in sorted((home / "tmp").iterdir()):
            if folder == hashed or _root(folder) == real:
                return folder / "chats"
    except OSError:
        pass
    return None


def is_chat(name: str, session: str = "") -> bool:
    """Return whether a file of that name is a chat, and, where ``session`` is known, that session's."""
    stem, _, kind = name.rpartition(".")
    return kind in {"json", "jsonl"} and stem.startswith("session-") and stem.endswith(session[:_SHORT])


def side_folder(chat: Path) -> Path | None:
    """Return the folder of the chats of its subagents beside a chat; ``None`` = the chat doesn't tell its session."""
    try:
        with chat.open("rb") as file:
            found = _SESSION.search(file.read(MAX_ROOT_BYTES))
    except OSError:
        return None
    return chat.parent / found[1].decode() if found else None


def _root(folder: Path) -> str:
    try:
        with (folder / ".project_root").open("rb") as file:
            return os.path.realpath(os.fsdecode(file.read(MAX_ROOT_BYTES)).strip())
    except (OSError, ValueError):
        return ""
