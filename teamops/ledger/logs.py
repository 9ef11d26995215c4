"""Whose logs told usage, and what those that are rewritten have told, in the ledger."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from teamops.ledger.connection import reading
from teamops.model.role import Role
from teamops.model.tail import KnownLog
from teamops.model.usage import Tokens, Usage


class ToldLog(Struct, frozen=True):
    """Which log tells."""

    client: str
    wall: float
    """When it tells, Unix seconds."""
    rewritten: bool
    """What it tells is remembered response by response: its position doesn't say it."""


class Logs:
    """The part of the ledger that knows logs. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def known(self) -> dict[str, KnownLog]:
        """Return all logs that told usage, by the path of their position."""
        with reading(self._path):
            rows = self._connection.execute("SELECT path, role, client, wall FROM log").fetchall()
        return {path: KnownLog(Role(role), client, wall) for path, role, client, wall in rows}

    def counted(self) -> dict[str, list[Usage]]:
        """Return by client what logs that are rewritten have told, in that order: what is of one key adds up."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT client, key, wall, model, input, output, cache_write, cache_write_1h, cache_read, session,"
                " speed, service_tier, cost_usd FROM told ORDER BY rowid"
            ).fetchall()
        found: dict[str, list[Usage]] = {}
        for row in rows:
            usage = Usage(
                wall=row[2],
                model=row[3],
                tokens=Tokens(*row[4:9]),
                client=row[0],
                session=row[9],
                speed=row[10],
                service_tier=row[11],
                cost_usd=None if row[12] is None else Decimal(row[12]),
                key=row[1],
            )
            found.setdefault(usage.client, []).append(usage)
        return found

    def tell(self, role: Role, path: str, log: ToldLog, usages: Iterable[Usage]) -> None:
        """Store that a log told ``usages``. Belongs into the transaction that adds them to what was spent."""
        told = list(usages)
        if told:
            self._connection.execute(
                "INSERT OR REPLACE INTO log(path, role, client, wall) VALUES(?, ?, ?, ?)",
                (path, str(role), log.client, log.wall),
            )
        if log.rewritten:
            self._connection.executemany(
                "INSERT INTO told(client, key, wall, model, input, output, cache_write, cache_write_1h, cache_read,"
                " session, speed, service_tier, cost_usd) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_row(usage) for usage in told if usage.key],
            )


def _row(usage: Usage) -> tuple[str | int | float | None, ...]:
    tokens = usage.tokens
    return (
        usage.client,
        usage.key,
        usage.wall,
        usage.model,
        tokens.input,
        tokens.output,
        tokens.cache_write,
        tokens.cache_write_1h,
        tokens.cache_read,
        usage.session,
        usage.speed,
        usage.service_tier,
        None if usage.cost_usd is None else str(usage.cost_usd),
    )
