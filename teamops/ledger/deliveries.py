"""How far each poke has come, and by what proof."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class Deliveries:
    """The part of the ledger that keeps pokes on their way. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
