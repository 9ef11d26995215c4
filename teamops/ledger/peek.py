"""A look into a ledger that must not be made, brought up to date or written by looking."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from teamops.ledger.audit import Audit
from teamops.ledger.connection import LedgerError, reading
from teamops.ledger.migrations import STEPS


@contextmanager
def peek(path: Path) -> Iterator[Audit | None]:
    """Give the protocol's memory of the ledger at ``path``, to be read only; ``None`` where there is no ledger.

    Raises ``LedgerError`` where it can't be read, or is another version's.
    """
    try:
        there = path.exists()
    except OSError as error:
        raise LedgerError(f"ledger {path}: {error.strerror}", "mend the rights of the state directory") from error
    if not there:
        yield None
        return
    with reading(path):
        how = "mode=ro" + ("&immutable=1" if _rests(path) else "")
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None)
    with closing(connection):
        with reading(path):
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version != len(STEPS):
            age = "an older" if version < len(STEPS) else "a newer"
            raise LedgerError(
                f"ledger {path}: it is {age} teamops' (version {version}, here {len(STEPS)})",
                "start teamops once: it brings it up to date" if version < len(STEPS) else "upgrade teamops",
            )
        yield Audit(connection, path)


def _rests(path: Path) -> bool:
    """Return whether nobody has the ledger open, in a folder that can't be written: SQLite would want side files there.

    So it is for an agent in its boundary. A ledger that was closed well holds all that was written to it.
    """
    return bool(os.environ.get("TEAMOPS_CONFINED")) and not path.with_name(f"{path.name}-wal").exists()
