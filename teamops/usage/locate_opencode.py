"""Where opencode keeps its sessions, and when one was last written.

Source: opencode 1.18. One database for all projects of a person: its growth alone says nothing of one agent, so it is
asked for the session: by its id, else the last one of a folder.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

BUSY_S = 0.2
_LAST_OF_FOLDER = (
    "SELECT id FROM session WHERE directory = ? AND parent_id IS NULL ORDER BY time_updated DESC, id DESC LIMIT 1"
)
_WRITTEN = """
SELECT max(m.time_updated, coalesce((SELECT max(time_updated) FROM part WHERE message_id = m.id), 0))
FROM message AS m WHERE m.session_id = ? ORDER BY m.time_created DESC, m.id DESC LIMIT 1
"""


def database(env: Mapping[str, str]) -> Path | None:
    """Return the database of a client that runs with ``env``; ``None`` = can't be known."""
    if not env.get("XDG_DATA_HOME") and not env.get("HOME"):
        return None
    data = Path(env["XDG_DATA_HOME"]) if env.get("XDG_DATA_HOME") else Path(env["HOME"]) / ".local" / "share"
    return data / "opencode" / (env.get("OPENCODE_DB") or "opencode.db")


class Written(Struct, frozen=True):
    """A session of a database."""

    session: str
    at: float
    """When it was last written, Unix seconds."""


def written_at(path: Path, asked: list[tuple[str, str]]) -> list[Written | None]:
    """Return for each (session id, folder) its session and when it was last written; ``None`` = can't be known.

    An empty id asks for the folder's last session. Reads only, and never waits long for a writer.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_S)) as db:
            return [_written(db, *one) for one in asked]
    except sqlite3.Error:  # not there yet, being written, or of a version unknown to us
        return [None] * len(asked)


def has_session(path: Path, session: str) -> bool:
    """Return whether the database holds the session; not if that can't be known."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=BUSY_S)) as db:
            return db.execute("SELECT 1 FROM session WHERE id = ?", (session,)).fetchone() is not None
    except sqlite3.Error:
        return False


def _written(db: sqlite3.Connection, session: str, folder: str) -> Written | None:
    if not session:
        row = db.execute(_LAST_OF_FOLDER, (folder,)).fetchone()
        if row is None:
            return None
        session = row[0]
    row = db.execute(_WRITTEN, (session,)).fetchone()
    return Written(session, row[0] / 1000) if row is not None and isinstance(row[0], int | float) else None
