"""Which of Claude Code's files belong to which process.

Source: the client's own ``sessions/<pid>.json``: undocumented, written by the client, left behind by kill -9.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Struct

from teamops.model.agent import ClientStatus
from teamops.model.text import clean_line
from teamops.usage.homes import claude_homes as homes

__all__ = [
    "PROC", "Session", "homes", "is_side", "owner", "read_session", "runs", "side_folder", "slug", "transcript",
]  # fmt: skip

CLIENT = "claude"
PROC = Path("/proc")
SLUG_LIMIT = 200
MAX_STATUS_BYTES = 1 << 16
_GENERATIONS = 32
"""So far up a client is looked for below its pane's first process."""
_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class Session(Struct, frozen=True):
    """What a status file of a running client says."""

    pid: int
    session: str
    cwd: str
    status: ClientStatus | None
    """``None``: in words unknown to teamops."""
    waiting_for: str
    updated: float
    """When the client last wrote the file, Unix seconds; 0 = it doesn't say."""
    since: float
    """When its status last changed, Unix seconds; 0 = it doesn't say."""


_Millis = Annotated[float, msgspec.Meta(ge=0, le=1e15)]


class _Row(msgspec.Struct):
    pid: int
    sessionId: str  # noqa: N815 - the client's own names
    cwd: str = ""
    procStart: str | int | None = None  # noqa: N815
    status: str = ""
    waitingFor: str | None = None  # noqa: N815
    updatedAt: _Millis | None = None  # noqa: N815
    statusUpdatedAt: _Millis | None = None  # noqa: N815


_decode = msgspec.json.Decoder(_Row).decode


def slug(cwd: str) -> str:
    """Return the name of a working directory's folder below ``projects``, before any suffix."""
    return re.sub("[^a-zA-Z0-9]", "-", os.path.realpath(cwd))[:SLUG_LIMIT]


def read_session(path: Path, proc: Path = PROC) -> Session | None:
    """Return what the status file at ``path`` says, or ``None`` where it is no word of a running process.

    A file that a killed client left behind names a process that is gone, or one that began at another time.
    """
    try:
        with path.open("rb") as file:
            row = _decode(file.read(MAX_STATUS_BYTES))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    if str(row.pid) != path.stem or not _SESSION.fullmatch(row.sessionId):
        return None
    if proc.is_dir():
        started = _stat(row.pid, proc)
        if started is None or (row.procStart is not None and str(row.procStart) != started[1]):
            return None
    try:
        status = ClientStatus(row.status)
    except ValueError:
        status = None
    waiting = clean_line(row.waitingFor or "", 200)
    updated = (row.updatedAt or 0) / 1000
    since = updated if row.statusUpdatedAt is None else row.statusUpdatedAt / 1000
    return Session(row.pid, row.sessionId, row.cwd, status, waiting, updated, since)


def owner(pid: int, wanted: Container[int], proc: Path = PROC) -> int | None:
    """Return the process among ``wanted`` that is ``pid`` itself or its nearest ancestor, or ``None``.

    From the client upwards, as there are few clients and many processes: a wrapper's whole tree is never searched.
    """
    for _ in range(_GENERATIONS):
        if pid in wanted:
            return pid
        known = _stat(pid, proc)
        if known is None or known[0] <= 1:
            return None
        pid = known[0]
    return None


def runs(pid: int, proc: Path = PROC) -> bool:
    """Return whether a process runs; taken for granted where there is no /proc to tell."""
    return _stat(pid, proc) is not None or not proc.is_dir()


def transcript(home: Path, session: Session) -> Path:
    """Return the path of the session's transcript, whether it is there yet or not."""
    name = f"{session.session}.jsonl"
    folder = slug(session.cwd)
    usual = home / "projects" / folder / name
    if usual.exists():
        return usual
    # A long slug has a suffix that only the client knows; a session that moved keeps its first folder.
    found = sorted((home / "projects").glob(f"*/{name}"))
    return found[0] if found else usual


def side_folder(main: Path) -> Path:
    """Return the folder of the subagents' transcripts beside the main one."""
    return main.with_suffix("") / "subagents"


def is_side(name: str) -> bool:
    """Return whether a file of that name in the side folder is a subagent's transcript."""
    return name.startswith("agent-") and name.endswith(".jsonl") and "/" not in name


def _stat(pid: int, proc: Path) -> tuple[int, str] | None:
    """Return a process's parent and its start time as the kernel counts it (fields 4 and 22 of its stat)."""
    try:
        fields = (proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        # Counted from field 3, the state. Z has ended and waits to be reaped.
        return None if fields[0] == b"Z" else (int(fields[1]), fields[19].decode())
    except (OSError, IndexError, ValueError):
        return None
