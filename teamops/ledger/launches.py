"""Which process teamops started for each role, and which client session it runs."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class Launches:
    """The part of the ledger that keeps launches. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
