"""Which process teamops started for each role, and which client session it runs."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from teamops.ledger.connection import reading, writing
from teamops.model.agent_report import Launch
from teamops.model.boundary import Held
from teamops.model.role import Role


class Launches:
    """The part of the ledger that keeps launches. See ``store.Ledger`` for threads, errors and durability."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def save(self, launch: Launch) -> None:
        """Store the newest launch of its role."""
        with writing(self._connection, self._path, durable=True):
            self._connection.execute(
                "INSERT OR REPLACE INTO launch(role, session, pane, pid, born, client, client_session, wall, adopted,"
                " kernel, unheld, hooked) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(launch.role),
                    launch.session,
                    launch.pane_id,
                    launch.pid,
                    launch.born,
                    launch.client,
                    launch.client_session,
                    launch.wall,
                    int(launch.adopted),
                    launch.held.kernel,
                    launch.held.unheld,
                    int(launch.held.hooked),
                ),
            )

    def get(self, role: Role) -> Launch | None:
        """Return the newest launch of a role, or ``None``."""
        return self.all().get(role)

    def all(self) -> dict[Role, Launch]:
        """Return the newest launch of each role."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT role, session, pane, pid, born, client, client_session, wall, adopted, kernel, unheld, hooked"
                " FROM launch"
            ).fetchall()
        return {launch.role: launch for launch in map(_launch, rows)}


def _launch(row: Any) -> Launch:
    return Launch(
        role=Role(row[0]),
        session=row[1],
        pane_id=row[2],
        pid=row[3],
        born=row[4],
        client=row[5],
        client_session=row[6],
        wall=row[7],
        adopted=bool(row[8]),
        held=Held(kernel=row[9], unheld=row[10], hooked=bool(row[11])),
    )
