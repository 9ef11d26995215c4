"""What teamops does about each agent: restarts, cooldowns, holds, give-ups."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class Keepings:
    """The part of the ledger that keeps restarts and holds. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
