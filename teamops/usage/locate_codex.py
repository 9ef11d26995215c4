"""Which of Codex's files belong to which process: it holds the rollout of its session open.

Source: Codex 0.171. A rollout is ``sessions/YYYY/MM/DD/rollout-<local time>-<session id>.jsonl``; it is made with the
first prompt. A resumed session goes on in its old file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path

from teamops.usage.open_files import PROC, tree, written

HEAD = 4096
MAX_HEAD = 1 << 20
_PARENT = re.compile(rb'"(?:id|forked_from_id|parent_thread_id)": ?"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"')
_SIDE = re.compile(rb'"(?:thread_)?source": ?(?:\{ ?)?"subagent')
_ROLLOUT = re.compile(r"rollout-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl")


def home(env: Mapping[str, str]) -> Path | None:
    """Return where a client that runs with ``env`` keeps its files; ``None`` = can't be known."""
    if env.get("CODEX_HOME"):
        return Path(env["CODEX_HOME"])
    return Path(env["HOME"]) / ".codex" if env.get("HOME") else None


def day_folder(home: Path, day: date) -> Path:
    """Return the folder of the sessions that begin on a day, local time."""
    return home / "sessions" / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}"


def session_of(path: Path) -> str:
    """Return the session id that a rollout's name tells; empty = it is no rollout."""
    match = _ROLLOUT.fullmatch(path.name)
    return match[1] if match else ""


def rollouts(pid: int, proc: Path = PROC) -> tuple[Path, ...]:
    """Return the rollouts that a process or its nearest descendant that has any holds open, the last written last.

    More than one: those of its subagents, and of sessions that it left for another one.
    """
    for one in tree(pid, proc):
        found = {path for path in written(one, proc) if session_of(path)}
        if found:
            return tuple(sorted(found, key=_written_at))
    return ()


def main_of(paths: Sequence[Path]) -> Path | None:
    """Return the one of ``rollouts`` that is the session a person sees; ``None`` = there is none."""
    return next((path for path in reversed(paths) if not is_side(path)), None)


def is_side(path: Path) -> bool:
    """Return whether a rollout is a subagent's."""
    try:
        with path.open("rb") as file:
            return _SIDE.search(file.read(HEAD)) is not None
    except OSError:
        return False


def ancestors(path: Path, known: Collection[str]) -> list[str]:
    """Return those among ``known`` sessions whose lines a rollout may have copied: its beginning names them all."""
    try:
        with path.open("rb") as file:
            head = file.read(MAX_HEAD)
    except OSError:
        return []
    found = dict.fromkeys(match.decode() for match in _PARENT.findall(head))
    return [session for session in found if session in known]


def _written_at(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except OSError:
        return 0.0, path.name
