"""All rows of the ledger for other programs, one after the other: never more than a few of them in memory."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path

from teamops.ledger.connection import LedgerError, reading
from teamops.ledger.migrations import STEPS
from teamops.ledger.peek import looking
from teamops.ledger.spent import dollars
from teamops.ledger.tables import TABLES, Table

AT_ONCE = 500
Value = str | int | float | None
Row = dict[str, Value]
_NAMED = frozenset({"role", "model", "client", "session"})
"""Columns of ``spent`` and ``spent_quarter`` that hold the number of a name."""
_TYPES = {"INTEGER": "integer", "REAL": "number", "TEXT": "text", "BLOB": "text"}


class Export:
    """The ledger as of one moment. Made by ``exporting``."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, tables: Sequence[Table], since_wall: float | None
    ) -> None:
        self._connection = connection
        self._path = path
        self._since = since_wall
        self.tables = tables
        self._names: dict[int, str] | None = None

    @property
    def version(self) -> int:
        """Of the ledger."""
        return len(STEPS)

    def columns(self, table: Table) -> dict[str, str]:
        """Return the columns of a table as they are told, with what they hold: integer, number, text."""
        with reading(self._path):
            rows = self._connection.execute(f"PRAGMA table_info({table.name})").fetchall()
        types = {row[1]: _TYPES[row[2]] for row in rows}
        if table.name in {"spent", "spent_quarter"}:
            types |= dict.fromkeys(_NAMED & types.keys(), "text")
            del types["pico"]
            types["cost_usd"] = "text"
        return types

    def rows(self, table: Table) -> Iterator[Row]:
        """Give the rows of a table, as they are stored. Raises ``LedgerError``."""
        where = f" WHERE {table.wall} >= ?" if self._since is not None and table.wall else ""
        with reading(self._path):
            found = self._connection.execute(
                f"SELECT * FROM {table.name}{where}",  # noqa: S608 - ours
                (self._since,) if where else (),
            )
            names = [column[0] for column in found.description]
            while rows := found.fetchmany(AT_ONCE):
                for row in rows:
                    yield self._told(table, dict(zip(names, row, strict=True)))

    def _told(self, table: Table, row: dict[str, str | int | float | bytes | None]) -> Row:
        if table.name in {"spent", "spent_quarter"}:
            for column in _NAMED & row.keys():
                row[column] = self._name(row[column])
            pico = row.pop("pico")
            if pico is not None:
                row["cost_usd"] = str(dollars(int(str(pico))))
        return {column: self._plain(value) for column, value in row.items()}

    def _plain(self, value: str | float | bytes | None) -> Value:
        if isinstance(value, float) and not isfinite(value):
            return None  # JSON has no word for it
        if not isinstance(value, bytes):
            return value
        try:
            return zlib.decompress(value).decode("utf-8", "replace")
        except zlib.error as error:
            raise LedgerError(f"ledger {self._path}: a text is damaged", "see: teamops ledger verify") from error

    def _name(self, number: object) -> str | None:
        if self._names is None:
            self._names = dict(self._connection.execute("SELECT id, name FROM spent_name").fetchall())
        return self._names.get(int(str(number)))


def tables_named(names: Sequence[str]) -> list[Table]:
    """Return the tables of those names, all of them for none. Raises ``KeyError`` for a name that is none."""
    known = {table.name: table for table in TABLES}
    return [known[name] for name in dict.fromkeys(names)] or list(TABLES)


@contextmanager
def exporting(path: Path, names: Sequence[str], since_wall: float | None) -> Iterator[Export | None]:
    """Give the ledger at ``path`` as of one moment; ``None`` where there is none. Raises ``LedgerError``."""
    with looking(path) as connection:
        if connection is None:
            yield None
            return
        with reading(path):
            connection.execute("BEGIN")
        yield Export(connection, path, tables_named(names), since_wall)
