"""The memory of each agent's process tree, minute by minute."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class Rss:
    """The part of the ledger that keeps memory samples. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
