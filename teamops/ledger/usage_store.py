"""The usage of all of a user's clients, over all projects: one row a response, and how far each log was read.

A row is merged by a rule that knows no order (the higher rank stands, then the path that comes first), and how far a
file was read is stored with its rows in one transaction: whatever is read twice, in whatever order, counts once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

from teamops.ledger.connection import open_connection, reading, writing
from teamops.ledger.usage_groups import Split, UsageGroup, groups
from teamops.model.usage_log import LogFile, LogRead

FILE = "usage.sqlite3"

FIRST = """
CREATE TABLE file(
  id INTEGER PRIMARY KEY, client TEXT NOT NULL, path TEXT NOT NULL UNIQUE, device INTEGER NOT NULL,
  inode INTEGER NOT NULL, offset INTEGER NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
  guard BLOB NOT NULL, bad_lines INTEGER NOT NULL) STRICT;
CREATE TABLE label(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE session(
  client TEXT NOT NULL, session TEXT NOT NULL, cwd TEXT NOT NULL, PRIMARY KEY(client, session)) STRICT, WITHOUT ROWID;
CREATE TABLE response(
  key TEXT NOT NULL, bare INTEGER NOT NULL, wall REAL NOT NULL, model INTEGER NOT NULL, session INTEGER NOT NULL,
  said INTEGER NOT NULL,
  speed INTEGER NOT NULL, tier INTEGER NOT NULL, input INTEGER NOT NULL, output INTEGER NOT NULL,
  cache_write INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL, cache_read INTEGER NOT NULL, cost_usd TEXT NOT NULL,
  rank INTEGER NOT NULL, weight INTEGER NOT NULL, client INTEGER NOT NULL, file INTEGER NOT NULL,
  PRIMARY KEY(key, client)) STRICT, WITHOUT ROWID;
CREATE TABLE rates(
  model TEXT NOT NULL, day TEXT NOT NULL, rates TEXT NOT NULL, PRIMARY KEY(model, day)) STRICT, WITHOUT ROWID;
"""
STEPS: Sequence[str] = (FIRST,)

_MERGE = """
INSERT INTO response VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
  bare = excluded.bare, wall = excluded.wall, model = excluded.model, session = excluded.session,
  said = excluded.said, speed = excluded.speed, tier = excluded.tier, input = excluded.input, output = excluded.output,
  cache_write = excluded.cache_write, cache_write_1h = excluded.cache_write_1h, cache_read = excluded.cache_read,
  cost_usd = excluded.cost_usd, rank = excluded.rank, weight = excluded.weight, file = excluded.file
WHERE (excluded.rank, excluded.weight) > (rank, weight)
  OR (excluded.rank = rank AND excluded.weight = weight AND excluded.file <> file
  AND (SELECT path FROM file AS f WHERE f.id = excluded.file) < (SELECT path FROM file AS f WHERE f.id = response.file))
"""


class UsageStore:
    """The usage ledger, for one thread; any number of processes may have it open, of which one at a time scans.

    Every method raises ``LedgerError`` when the file can't be read or written; nothing is stored then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_connection(path, STEPS)
        self._labels: dict[str, int] = {}

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        self._connection.close()

    def files(self) -> dict[str, LogFile]:
        """Return how far each log was read, by path; also those of logs that have gone."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT client, path, device, inode, offset, size, mtime_ns, guard, bad_lines FROM file"
            )
            return {row[1]: LogFile(*row) for row in rows}

    def save(self, reads: Sequence[LogRead]) -> None:
        """Merge what was read, and store how far, in one transaction. The same call again changes nothing."""
        with writing(self._connection, self._path):
            try:
                rows = self._numbered(reads)
                # In the order of the keys, which are all over the place: so each page is written once.
                rows.sort(key=itemgetter(0))
                self._connection.executemany(_MERGE, rows)
            except BaseException:
                self._labels.clear()  # some of them are taken back with all else
                raise

    def skipped_lines(self) -> int:
        """Return how many malformed lines and records were left out, of all logs."""
        with reading(self._path):
            return int(self._connection.execute("SELECT ifnull(sum(bad_lines), 0) FROM file").fetchone()[0])

    def rates(self) -> dict[tuple[str, str], str | None]:
        """Return the stored prices: (model, ISO day) → rates as JSON."""
        with reading(self._path):
            return {(row[0], row[1]): row[2] for row in self._connection.execute("SELECT model, day, rates FROM rates")}

    def save_rates(self, known: Mapping[tuple[str, str], str | None]) -> None:
        """Store prices. ``None`` (no price known) is not stored: a newer table of prices may have one."""
        with writing(self._connection, self._path):
            self._connection.executemany(
                "INSERT OR REPLACE INTO rates(model, day, rates) VALUES(?, ?, ?)",
                [(*key, text) for key, text in known.items() if text is not None],
            )

    def model_days(self) -> set[tuple[str, str]]:
        """Return the models and ISO days, UTC, of all responses whose cost no log names."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT text, date(day * 86400, 'unixepoch') FROM (SELECT DISTINCT model, CAST(wall / 86400 AS INTEGER)"
                " AS day FROM response WHERE cost_usd = '') JOIN label ON label.id = model"
            )
            return {(row[0], row[1]) for row in rows}

    def groups(
        self,
        *,
        since: float,
        until: float,
        tiers: Sequence[int] = (),
        split: Split = Split.NOTHING,
        sessions: Collection[str] | None = None,
    ) -> list[UsageGroup]:
        """Return what was used at or after ``since`` and before ``until``, Unix seconds, as ``usage_groups`` says."""
        with reading(self._path):
            return groups(self._connection, since, until, tiers=tiers, split=split, sessions=sessions)

    def _numbered(self, reads: Sequence[LogRead]) -> list[tuple[object, ...]]:
        """Store everything but the rows; return these as they are stored, with numbers for what many have."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO session(client, session, cwd) VALUES(?, ?, ?)",
            [(read.file.client, *pair) for read in reads for pair in read.cwds],
        )
        label = self._label(
            {text for read in reads for row in read.rows for text in row[3:8]} | {read.file.client for read in reads}
        )
        rows: list[tuple[object, ...]] = []
        for read in reads:
            client, number = label[read.file.client], self._keep(read)
            rows += [
                (
                    *row[:3], label[row[3]], label[row[4]], label[row[5]], label[row[6]], label[row[7]], *row[8:],
                    client, number,
                )
                for row in read.rows
            ]  # fmt: skip
        return rows

    def _keep(self, read: LogRead) -> int:
        """Store how far a file was read; return its number."""
        file = read.file
        own, end = f"{file.path}:", f"{file.path};"
        if read.anew:
            # By the range of keys that begin so: a search, and no walk through everything.
            self._connection.execute(
                "DELETE FROM response WHERE key >= ? AND key < ? AND file = (SELECT id FROM file WHERE path = ?)",
                (own, end, file.path),
            )
        (number,) = self._connection.execute(
            "INSERT INTO file(client, path, device, inode, offset, size, mtime_ns, guard, bad_lines)"
            " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET client = excluded.client,"
            " device = excluded.device, inode = excluded.inode, offset = excluded.offset, size = excluded.size,"
            " mtime_ns = excluded.mtime_ns, guard = excluded.guard, bad_lines = excluded.bad_lines RETURNING id",
            (
                file.client, file.path, file.device, file.inode, file.offset, file.size, file.mtime_ns, file.guard,
                file.bad_lines,
            ),
        ).fetchone()  # fmt: skip
        return int(number)

    def _label(self, texts: set[str]) -> dict[str, int]:
        """Return the numbers of texts that many rows have."""
        for text in texts - self._labels.keys():
            self._connection.execute("INSERT OR IGNORE INTO label(text) VALUES(?)", (text,))
            (number,) = self._connection.execute("SELECT id FROM label WHERE text = ?", (text,)).fetchone()
            self._labels[text] = int(number)
        return self._labels
