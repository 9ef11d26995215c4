"""Is the ledger sound: its file, its sums, its moments, and what it says of other files. Nothing is left written."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from teamops.domain.retention import DAY_S
from teamops.ledger.connection import LedgerError, other_version, trouble
from teamops.ledger.migrations import STEPS
from teamops.ledger.peek import reading_only
from teamops.ledger.room import refusal
from teamops.ledger.tables import TABLES
from teamops.ledger.vacuum import backup_of

FIRST_WALL = 1_577_836_800.0
"""2020: no ledger is older."""
MOST = 20
"""So many of one kind are told."""
ASIDE = (
    "end teamops, move the file aside (teamops then begins a new one), and keep it: sqlite3 FILE .recover reads most"
)
_QUARTERS = """
SELECT coalesce(n.name, '?') FROM (
  SELECT quarter, role, model, responses, input, output, cache_write, cache_write_1h, cache_read, pico, unpriced, 1 AS k
    FROM spent_quarter
  UNION ALL
  SELECT CAST(wall / 900 AS INTEGER), role, model, sum(responses), sum(input), sum(output), sum(cache_write),
    sum(cache_write_1h), sum(cache_read), coalesce(sum(pico), 0),
    coalesce(sum(CASE WHEN pico IS NULL AND cost_usd IS NULL THEN input + output + cache_write + cache_read END), 0), -1
    FROM spent GROUP BY 1, 2, 3
) s LEFT JOIN spent_name n ON n.id = s.role GROUP BY quarter, s.role, model
HAVING sum(k * responses) <> 0 OR sum(k * input) <> 0 OR sum(k * output) <> 0 OR sum(k * cache_write) <> 0
  OR sum(k * cache_write_1h) <> 0 OR sum(k * cache_read) <> 0 OR sum(k * pico) <> 0 OR sum(k * unpriced) <> 0
"""
_MONEY = {
    "usage_minute": "cost_usd",
    "beat_minute": "cost_usd",
    "spent": "cost_usd",
    "told": "cost_usd",
    "spike": "cost_usd",
    "budget_hold": "spent_usd",
    "budget_limit": "limit_usd",
}
_JSON = {"restart": "notes", "spike": "trace", "violation": "roles"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    code: str
    message: str
    do: str
    grave: bool = True
    """False: worth to know, and teamops works all the same."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is wrong."""

    there: bool
    """There is a ledger."""
    checks: tuple[str, ...]
    faults: tuple[Fault, ...]


def verify(path: Path, wall: float) -> Verified:
    """Look at the ledger at ``path`` as of ``wall``, Unix seconds. Never raises for what it finds."""
    try:
        with reading_only(path) as connection:
            if connection is None:
                return Verified(there=False, checks=(), faults=())
            faults, done = list[Fault](), list[str]()
            for name, check in _CHECKS:
                try:
                    found = list(check(_Look(connection, path, wall)))
                except sqlite3.Error as error:
                    found = [_damaged(path, error)]
                done.append(name)
                faults += found
                if any(fault.code in {"damaged", "version"} for fault in found):
                    break  # what is left would tell of the same
            return Verified(there=True, checks=tuple(done), faults=tuple(faults))
    except LedgerError as error:
        return Verified(there=True, checks=(), faults=(Fault("damaged", error.message, error.hint),))


@dataclass(frozen=True, slots=True)
class _Look:
    connection: sqlite3.Connection
    path: Path
    wall: float


def _damaged(path: Path, error: sqlite3.Error) -> Fault:
    said = trouble(path, error)
    damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    return Fault("damaged", said.message, ASIDE if damaged else said.hint)


def _version(look: _Look) -> Iterator[Fault]:
    version = int(look.connection.execute("PRAGMA user_version").fetchone()[0])
    look.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if version != len(STEPS):
        error = other_version(look.path, version, len(STEPS))
        yield Fault("version", error.message, error.hint)
    look.connection.execute("BEGIN")  # all that follows is of one moment


def _file(look: _Look) -> Iterator[Fault]:
    rows = [str(row[0]) for row in look.connection.execute(f"PRAGMA integrity_check({MOST})")]
    if rows != ["ok"]:
        yield Fault("damaged", f"ledger {look.path}: the file is damaged: {'; '.join(rows)[:500]}", ASIDE)


def _rights(look: _Look) -> Iterator[Fault]:
    mode = stat.S_IMODE(look.path.stat().st_mode)
    if mode & 0o077:
        yield Fault("rights", f"others than you may open {look.path} ({mode:o})", f"chmod 600 {look.path}", grave=False)


def _room(look: _Look) -> Iterator[Fault]:
    if os.environ.get("TEAMOPS_CONFINED"):
        return  # an agent writes none of it, and that is no fault
    why = refusal(look.path.parent)
    if why:
        yield Fault(
            "unwritable",
            f"the ledger can't be written now: {why} ({look.path.parent}); what happens since may be in no record",
            "free disk space, or mend the folder's rights",
        )


def _leftover(look: _Look) -> Iterator[Fault]:
    backup = backup_of(look.path)
    if backup.exists():
        yield Fault(
            "leftover",
            f"a vacuum was cut off: {backup} is the ledger as it was before",
            "the ledger itself is looked at here; if it is sound: teamops ledger vacuum, which removes the copy",
            grave=False,
        )


def _keys(look: _Look) -> Iterator[Fault]:
    broken: dict[str, int] = {}
    for row in look.connection.execute("PRAGMA foreign_key_check"):
        broken[row[0]] = broken.get(row[0], 0) + 1
    for table, count in broken.items():
        yield Fault("keys", f"{count} rows of {table} belong to rows that are not there", ASIDE)
    for table in ("delivery", "restart"):
        count = look.connection.execute(
            f"SELECT count(*) FROM {table} WHERE action > 0 AND action NOT IN (SELECT id FROM action)"  # noqa: S608 - ours
        ).fetchone()[0]
        if count:
            yield Fault(
                "actions",
                f"{count} rows of {table} tell of actions that are not there",
                "nothing: seen only",
                grave=False,
            )


def _sums(look: _Look) -> Iterator[Fault]:
    wrong: dict[str, int] = {}
    for (role,) in look.connection.execute(_QUARTERS):
        wrong[role] = wrong.get(role, 0) + 1
    for role, count in wrong.items():
        yield Fault(
            "sums",
            f"{count} quarters of an hour of {role} are not the sum of their responses: costs by day and task differ",
            "report it, with: teamops ledger export --table spent_quarter",
        )


def _moments(look: _Look) -> Iterator[Fault]:
    for table in TABLES:
        if not table.wall:
            continue
        early, late = look.connection.execute(
            f"SELECT total({table.wall} < ?), total({table.wall} > ?) FROM {table.name}",  # noqa: S608 - ours
            (FIRST_WALL, look.wall + DAY_S),
        ).fetchone()
        for count, where in ((int(early), "before 2020"), (int(late), "more than a day ahead of the clock")):
            if count:
                yield Fault(
                    "moments",
                    f"{count} rows of {table.name} are {where}",
                    "is the clock right? what a wrong one left is kept until its day is past",
                    grave=False,
                )


def _texts(look: _Look) -> Iterator[Fault]:
    readers: tuple[tuple[str, str, Callable[[Any], object]], ...] = (
        *((table, column, _money) for table, column in _MONEY.items()),
        *((table, column, json.loads) for table, column in _JSON.items()),
        ("block", "text", zlib.decompress),
    )
    for table, column, read in readers:
        bad = _unreadable(look, table, column, read)
        if bad:
            yield Fault("texts", f"{bad} rows of {table} hold a {column} that can't be read", ASIDE)


def _money(text: str) -> Decimal:
    return Decimal(text)


def _unreadable(look: _Look, table: str, column: str, read: Callable[[Any], object]) -> int:
    bad = 0
    for (value,) in look.connection.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"):  # noqa: S608 - ours
        try:
            read(value)
        except (ValueError, InvalidOperation, zlib.error, TypeError):
            bad += bool(value)
    return bad


def _places(look: _Look) -> Iterator[Fault]:
    shrunk = []
    for path, device, inode, offset in look.connection.execute("SELECT path, device, inode, offset FROM position"):
        if "#" in path:
            continue  # a session in a database
        try:
            status = Path(path).stat()
        except OSError:
            continue  # gone: nothing will be read of it
        rewritten = look.connection.execute(
            "SELECT 1 FROM log WHERE path = ? AND client NOT IN ('claude', 'codex')", (path,)
        )
        if (status.st_dev, status.st_ino) == (device, inode) and status.st_size < offset and not rewritten.fetchone():
            shrunk.append(path)
    for path in shrunk[:MOST]:
        yield Fault(
            "places",
            f"{path} is shorter than what was read of it",
            "it is read from its beginning again: what is in it still may count twice",
            grave=False,
        )


_CHECKS: tuple[tuple[str, Callable[[_Look], Iterator[Fault]]], ...] = (
    ("version", _version),
    ("file", _file),
    ("rights", _rights),
    ("room", _room),
    ("leftover", _leftover),
    ("keys", _keys),
    ("sums", _sums),
    ("moments", _moments),
    ("texts", _texts),
    ("places", _places),
)
