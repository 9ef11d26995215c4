"""opencode's messages, in its database or, of older versions, a file each → usage, each response counted once.

Source of the format: opencode 1.18. A message grows until its response ends. A fork copies messages under new ids;
a copy is known by its times, to the millisecond, model and counts. The database is only ever read, and no file of
SQLite's own is made beside it.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from teamops.model.usage import Tokens, Usage
from teamops.usage.fields import MALFORMED, MAX_NAME, Count, Millis, cost_of, count_all, name, read_whole, with_rest
from teamops.usage.reading import Reading
from teamops.usage.tally import Tally, Tallying, last_wins

if TYPE_CHECKING:
    import sqlite3

CLIENT = "opencode"
BUSY_S = 1.0
"""So long a locked database is waited for."""

_Row = tuple[object, object, object, object, object]
"""Message id, session, data, the session's directory and its parent session."""
_ROWS = (
    "SELECT m.id, m.session_id, m.data, s.directory, s.parent_id"
    " FROM message m LEFT JOIN session s ON s.id = m.session_id ORDER BY m.rowid"
)
_SESSION_ROWS = (
    "WITH RECURSIVE own(id) AS (VALUES(?) UNION SELECT s.id FROM session s JOIN own ON s.parent_id = own.id)"
    " SELECT m.id, m.session_id, m.data, s.directory, s.parent_id, s.time_created"
    " FROM own JOIN session s ON s.id = own.id JOIN message m ON m.session_id = s.id"
    " WHERE m.time_updated >= ? ORDER BY m.rowid"
)
_OVERLAP_MS = 5_000.0
"""A row is written a little after the time that stands in it."""
_BARE_ROWS = "SELECT id, session_id, data, NULL, NULL FROM message ORDER BY rowid"


class _Cache(msgspec.Struct):
    read: Count = 0
    write: Count = 0


class _Used(msgspec.Struct):
    input: Count = 0
    output: Count = 0
    reasoning: Count = 0
    total: Count | None = None
    cache: _Cache | None = None


class _Time(msgspec.Struct):
    created: Millis | None = None
    completed: Millis | None = None


class _Path(msgspec.Struct):
    cwd: str | None = None


class _Message(msgspec.Struct):
    role: str = ""
    id: str | None = None
    sessionID: str | None = None  # noqa: N815 - the client's own names
    providerID: str | None = None  # noqa: N815
    modelID: str | None = None  # noqa: N815
    cost: Decimal | None = None
    tokens: _Used | None = None
    time: _Time | None = None
    path: _Path | None = None


class _Role(msgspec.Struct):
    role: str = ""


class _Timed(msgspec.Struct):
    time: _Time | None = None


_decode_role = msgspec.json.Decoder(_Role).decode
_decode = msgspec.json.Decoder(_Message).decode
_decode_time = msgspec.json.Decoder(_Timed).decode

_Answer = tuple[object, ...]
_Ask = Callable[["sqlite3.Connection"], list[_Answer]]


class OpencodeReader(Tallying):
    """One for all databases and files of a user."""

    def __init__(self) -> None:
        super().__init__(Tally(last_wins))
        self._copies: dict[tuple[object, ...], str] = {}

    def read(self, path: Path) -> Reading:
        """See ``FileReader``."""
        if path.suffix != ".db":
            return self._count([(path.stem, "", read_whole(path), None, None)], 0)
        rows = _asked(path, _all)
        return Reading((), 1, None) if rows is None else self._count([_texts(row) for row in rows], 0)

    def read_session(self, path: Path, session: str, since: float) -> Reading:
        """Return what one session in a database, with those of its subagents, adds to what was counted.

        ``since``: messages that were not written after it, Unix seconds, are left out. What is older than its session
        was copied into it by a fork, and is the original's. Raises as ``read``.
        """
        asked = (session, since * 1000 - _OVERLAP_MS)
        rows = _asked(path, lambda connection: connection.execute(_SESSION_ROWS, asked).fetchall())
        if rows is None:
            return Reading((), 1, None)
        return self._count([_texts(row) for *row, began in rows if not _is_older(row[2], began)], 0)

    def _count(self, rows: Iterable[_Row], bad: int) -> Reading:
        found: list[Usage] = []
        for row in rows:
            try:
                found.extend(self._usage_of(*row))
            except MALFORMED:
                bad += 1
        return count_all(found, bad, self._tally)

    def _usage_of(
        self, key: object, session: object, data: object, directory: object, parent: object
    ) -> Iterator[Usage]:
        if not isinstance(data, str | bytes):
            raise msgspec.ValidationError("a message that is no text")
        if _decode_role(data).role != "assistant":
            return
        message = _decode(data)
        used = message.tokens
        if used is None:
            return
        tokens = _tokens(used)
        cost = cost_of(message.cost, free=False)
        if tokens == Tokens() and cost is None:
            return
        time = message.time
        if time is None or time.created is None:
            raise msgspec.ValidationError("usage without a time")
        model = name(message.modelID or "")
        key = (message.id or str(key))[:MAX_NAME]
        if time.completed is not None:
            mark = (time.created, time.completed, model, tokens)
            if self._copies.setdefault(mark, key) != key:
                return  # a fork's copy: the original stands where it is
        yield Usage(
            wall=time.created / 1000,
            model=model,
            tokens=tokens,
            client=CLIENT,
            session=name(str(session or message.sessionID or "")),
            cost_usd=cost,
            key=key,
            cwd=name(str(directory or (message.path.cwd if message.path else None) or "")),
            side=bool(parent),
        )


def _tokens(used: _Used) -> Tokens:
    cache = used.cache or _Cache()
    tokens = Tokens(used.input, used.output, cache.write, 0, cache.read)
    # With a total that leaves no room for it, reasoning is a part of the output.
    return with_rest(tokens, tokens.total + used.reasoning if used.total is None else used.total)


def _asked(path: Path, ask: _Ask) -> list[_Answer] | None:
    """Return what a database answers; ``None`` = it is none. Raises ``OSError`` where it can't be read now."""
    import sqlite3

    try:
        return _rows(path, ask)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []  # made a moment ago
        if "no such column" in str(error):
            raise OSError(errno.ENOTSUP, f"of a version unknown to teamops: {error}", str(path)) from error
        raise OSError(errno.EBUSY, f"{error}", str(path)) from error
    except sqlite3.DatabaseError:
        return None


def _is_older(data: object, began: object) -> bool:
    """Return whether a message was made before its session began, in milliseconds."""
    if not isinstance(data, str | bytes) or not isinstance(began, int | float):
        return False
    try:
        time = _decode_time(data).time
    except MALFORMED:
        return False
    return time is not None and time.created is not None and time.created < began


def _rows(path: Path, ask: _Ask) -> list[_Answer]:
    """Ask for rows. Raises ``OSError`` and ``sqlite3.DatabaseError``."""
    wal, shared = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    before = _mark(path)
    if not wal.exists() or not wal.stat().st_size:
        if path.with_name(path.name + "-journal").exists():
            return _select(path, "mode=ro", ask)
        # Nobody has it open: SQLite would make its files of shared memory beside it, only to read.
        rows = _select(path, "mode=ro&immutable=1", ask)
        if _mark(path) != before or (wal.exists() and wal.stat().st_size):
            raise OSError(errno.EBUSY, "changed while it was read", str(path))
        return rows
    if shared.exists():
        return _select(path, "mode=ro", ask)
    with tempfile.TemporaryDirectory(prefix="teamops-") as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        shutil.copyfile(wal, copy.with_name(wal.name))
        return _select(copy, "mode=rw", ask)


def _select(path: Path, how: str, ask: _Ask) -> list[_Answer]:
    import sqlite3

    with closing(
        sqlite3.connect(f"file:{quote(os.fspath(path.absolute()))}?{how}", uri=True, timeout=BUSY_S)
    ) as connection:
        # Text that is none is malformed data of one message, and no reason to read no other.
        connection.text_factory = bytes
        return ask(connection)


def _all(connection: sqlite3.Connection) -> list[_Answer]:
    import sqlite3

    try:
        return connection.execute(_ROWS).fetchall()
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):
            raise
        return connection.execute(_BARE_ROWS).fetchall()


def _texts(row: Sequence[object]) -> _Row:
    """Return a row with its names as text; the data stays as it is."""
    key, session, data, directory, parent = row
    return (_text(key), _text(session), data, _text(directory), _text(parent))


def _text(value: object) -> object:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _mark(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return (status.st_ino, status.st_mtime_ns, status.st_size)
