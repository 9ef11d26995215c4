"""The logs of ``tests/logs``: a home per client, in which each rule of its reader has a case."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from teamops.model.usage import Tokens, Usage
from teamops.usage.clients import CLIENTS, LogClient, Readers
from teamops.usage.rates import cost
from teamops.usage.rates_worker import rates_of

LOGS = Path(__file__).parent / "logs"
Row = tuple[str, str, str]
"""Day (UTC), model, session."""


@dataclass(slots=True)
class Sum:
    tokens: Tokens = field(default_factory=Tokens)
    entries: int = 0
    cost: Decimal = Decimal(0)


def home_of(client: LogClient, folder: Path) -> Path:
    """Copy the client's home, which its readers never write to, and make the database that git keeps as text."""
    home = folder / client.name
    shutil.copytree(LOGS / client.name, home)
    script = home / "opencode.sql"
    if script.exists():
        with closing(sqlite3.connect(home / ".local" / "share" / "opencode" / "opencode.db")) as database:
            database.executescript(script.read_text())
    return home


def files_of(client: LogClient, home: Path) -> list[Path]:
    return [path for folder in client.homes({"HOME": str(home)}) for path in client.files(folder)]


def complete_lines(content: bytes) -> list[bytes]:
    """A last line without its newline is not a line yet."""
    return content.split(b"\n")[:-1]


def read_file(client: LogClient, readers: Readers, path: Path) -> tuple[tuple[Usage, ...], int]:
    if client.is_lines(path):
        assert readers.lines is not None
        reading = readers.lines.read(complete_lines(path.read_bytes()), str(path))
    else:
        assert readers.whole is not None
        reading = readers.whole.read(path)
    return reading.usages, reading.bad_lines


def read_home(client: LogClient, home: Path, readers: Readers | None = None) -> tuple[list[Usage], int]:
    readers = readers or client.readers()
    usages: list[Usage] = []
    bad = 0
    for path in files_of(client, home):
        found, malformed = read_file(client, readers, path)
        usages += found
        bad += malformed
    return usages, bad


def sums(usages: Iterable[Usage]) -> dict[Row, Sum]:
    """Add up deltas; an entry is a response, however often it was written, where its last delta is."""
    found: dict[Row, Sum] = {}
    rows: dict[object, Sum] = {}
    of_key: dict[object, Tokens] = {}
    for usage in usages:
        row = found.setdefault((day_of(usage.wall), usage.model, usage.session), Sum())
        row.tokens += usage.tokens
        row.cost += price(usage)
        key = usage.key or object()
        rows[key] = row
        of_key[key] = of_key.get(key, Tokens()) + usage.tokens
    for key, row in rows.items():
        row.entries += of_key[key] != Tokens()
    return {place: row for place, row in found.items() if row.entries}


def day_of(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).date().isoformat()


def price(usage: Usage) -> Decimal:
    if usage.cost_usd is not None:
        return usage.cost_usd
    rates = rates_of(usage.model, day_of(usage.wall))
    assert rates is not None, usage.model
    found = cost(usage, rates)
    assert found is not None, usage
    return found


def line_clients() -> Iterator[str]:
    for client in CLIENTS.values():
        if client.readers().lines is not None:
            yield client.name
