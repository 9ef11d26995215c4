"""Pages on their way to the person, and each attempt to deliver one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from teamops.domain.sending import Course
from teamops.ledger import history
from teamops.ledger.connection import reading, writing
from teamops.model.alert import Alert
from teamops.model.handoff import Severity
from teamops.model.page import Button, Page, Parts, Receipt, Transition
from teamops.model.role import Role

CUT_OFF = "cut off: teamops ended before its outcome was known"

TRIED = "tried"
DELIVERED = "delivered"

_PAGE = (
    "SELECT id, wall, transition, keys, thread, severity, project, title, body, do, role, buttons, first,"
    " channel, tries, laps, due_wall FROM page"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page that an earlier life did not bring to its end."""

    page: Page
    first: int
    """In the order of channels: the one that it was decided for."""
    course: Course


@dataclass(frozen=True, slots=True)
class LastTry:
    """How the last attempt by a channel ended."""

    channel: str
    receipt: Receipt
    wall: float


class Outbox:
    """The part of the ledger that keeps pages. See ``store.Ledger`` for threads and errors.

    What is begun and ended here survives a loss of power, too: it is what keeps a page from being lost, or told twice.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def put(self, page: Page) -> None:
        """Store a page that no alert asks for; one that is there already stays as it is."""
        with writing(self._connection, self._path, durable=True):
            add(self._connection, [(page, 0)])

    def begin(self, page: Page, channel: str, wall: float) -> int:
        """Store that ``page`` is about to be delivered by ``channel``; return the attempt's row."""
        with writing(self._connection, self._path, durable=True):
            return _begin(self._connection, page, channel, wall)

    def end(
        self,
        page: Page,
        attempt: int,
        receipt: Receipt,
        wall: float,
        course: Course | None = None,
        alerts: Sequence[Alert] = (),
        channel: str = "",
    ) -> None:
        """Store how an attempt ended: with it where the page goes on, or that it is done with, as it was delivered.

        ``alerts``: those of which something is new by that. ``channel``: by which it was, for an attempt whose begin
        could not be stored (0).
        """
        with writing(self._connection, self._path, durable=True):
            attempt = attempt or _begin(self._connection, page, channel, wall)
            _end(self._connection, attempt, receipt, wall)
            if receipt.ok:
                _close(self._connection, page, DELIVERED, wall)
            elif course is not None:
                self._connection.execute(
                    "UPDATE page SET channel = ?, tries = ?, laps = ?, due_wall = ? WHERE id = ?",
                    (course.channel, course.tries, course.laps, course.due_wall, page.id),
                )
            for alert in alerts:
                history.save_alert(self._connection, alert)

    def drop(self, page: Page, why: str, wall: float, alerts: Sequence[Alert] = ()) -> None:
        """Store that ``page`` is not tried any more, and why; ``alerts``: those that are still to be told."""
        with writing(self._connection, self._path, durable=bool(alerts)):
            _close(self._connection, page, why, wall)
            for alert in alerts:
                history.save_alert(self._connection, alert)

    def tried(self, page: Page, tries: Sequence[tuple[str, Receipt]], wall: float) -> None:
        """Store a page that a person sent to try the channels, and how each took it: all of it or nothing."""
        with writing(self._connection, self._path, durable=True):
            add(self._connection, [(page, 0)])
            for channel, receipt in tries:
                _end(self._connection, _begin(self._connection, page, channel, wall), receipt, wall)
            _close(self._connection, page, TRIED, wall)

    def waiting(self) -> list[Waiting]:
        """Return the pages that are not done with, oldest first."""
        with reading(self._path):
            rows = self._connection.execute(f"{_PAGE} WHERE over_wall IS NULL ORDER BY wall, id").fetchall()
            found = []
            for row in rows:
                cut, parts = "", dict[str, Parts]()
                for channel, ended, told in self._connection.execute(
                    "SELECT channel, ended_wall, parts FROM page_attempt WHERE page = ? ORDER BY id", (row[0],)
                ):
                    cut = channel if ended is None else cut
                    known = dict(parts.get(channel, ())) | {name: bool(ok) for name, ok in json.loads(told)}
                    parts |= {channel: tuple(known.items())} if known else {}
                course = Course(
                    channel=row[13], tries=row[14], laps=row[15], due_wall=row[16], cut_off=cut, parts=parts
                )
                found.append(Waiting(_page(row), row[12], course))
        return found

    def close_cut_off(self, wall: float) -> None:
        """Store that the attempts which an earlier life left open have no known end."""
        with writing(self._connection, self._path):
            self._connection.execute(
                "UPDATE page_attempt SET ended_wall = ?, ok = 0, message = ? WHERE ended_wall IS NULL", (wall, CUT_OFF)
            )

    def decided(self, since: float, until: float, *, firsts: bool = False) -> list[float]:
        """Return when each page of an alert was decided, from ``since`` to ``until``, oldest first.

        Those that nobody was sent are left out. ``firsts``: only those that were the first word of something critical.
        """
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT wall FROM page WHERE wall > ? AND wall <= ? AND transition NOT IN ('tried', 'report')"
                " AND over IN ('', ?) AND (NOT ? OR (transition = ? AND severity = ?)) ORDER BY wall",
                (since, until, DELIVERED, firsts, Transition.FIRED.value, Severity.CRITICAL.value),
            ).fetchall()
        return [float(row[0]) for row in rows]

    def last_tries(self) -> list[LastTry]:
        """Return how the last attempt by each channel ended, those that were cut off left out."""
        with reading(self._path):
            rows = self._connection.execute(
                "SELECT channel, ok, message, evidence, hint, absent, wall FROM page_attempt WHERE id IN"
                " (SELECT max(id) FROM page_attempt WHERE ended_wall IS NOT NULL AND message <> ? GROUP BY channel)",
                (CUT_OFF,),
            ).fetchall()
        return [
            LastTry(
                row[0],
                Receipt(ok=bool(row[1]), message=row[2], evidence=row[3], hint=row[4], absent=bool(row[5])),
                row[6],
            )
            for row in rows
        ]

    def page(self, page_id: str) -> Page | None:
        """Return a page by its id, done with or not."""
        with reading(self._path):
            row = self._connection.execute(f"{_PAGE} WHERE id = ?", (page_id,)).fetchone()
        return None if row is None else _page(row)


def add(connection: sqlite3.Connection, pages: Sequence[tuple[Page, int]]) -> None:
    """Store pages, each with the place of the channel it begins with, within a transaction that is open."""
    connection.executemany(
        "INSERT INTO page(id, wall, transition, keys, thread, severity, project, title, body, do, role, buttons, first)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (
                page.id,
                page.wall,
                page.transition.value,
                json.dumps(page.keys),
                page.thread,
                page.severity.value,
                page.project,
                page.title,
                page.body,
                page.do,
                None if page.role is None else str(page.role),
                json.dumps(page.buttons),
                first,
            )
            for page, first in pages
        ],
    )


def _begin(connection: sqlite3.Connection, page: Page, channel: str, wall: float) -> int:
    cursor = connection.execute(
        "INSERT INTO page_attempt(page, channel, wall) VALUES(?, ?, ?)", (page.id, channel, wall)
    )
    return int(cursor.lastrowid or 0)


def _end(connection: sqlite3.Connection, attempt: int, receipt: Receipt, wall: float) -> None:
    connection.execute(
        "UPDATE page_attempt SET ended_wall = ?, ok = ?, message = ?, evidence = ?, hint = ?, absent = ?, parts = ?"
        " WHERE id = ?",
        (
            wall,
            int(receipt.ok),
            receipt.message,
            receipt.evidence,
            receipt.hint,
            int(receipt.absent),
            json.dumps(receipt.parts),
            attempt,
        ),
    )


def _close(connection: sqlite3.Connection, page: Page, how: str, wall: float) -> None:
    connection.execute(
        "UPDATE page SET over_wall = ?, over = ? WHERE id = ? AND over_wall IS NULL", (wall, how, page.id)
    )


def _page(row: tuple[object, ...]) -> Page:
    return Page(
        id=str(row[0]),
        wall=float(str(row[1])),
        transition=Transition(str(row[2])),
        keys=tuple((code, subject) for code, subject in json.loads(str(row[3]))),
        thread=str(row[4]),
        severity=Severity(str(row[5])),
        project=str(row[6]),
        title=str(row[7]),
        body=str(row[8]),
        do=str(row[9]),
        role=None if row[10] is None else Role(str(row[10])),
        buttons=tuple(Button(name) for name in json.loads(str(row[11]))),
    )
