"""The log of a day with the span in which each line stood: what was under way then is told so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from teamops.domain.replay import EVER, Span, Spans
from teamops.ledger import history
from teamops.model.snapshot import LogLine

BEFORE = 200
"""So many lines of before the day are read of each kind: the first moment shows as many as any other."""

_EDIT = "t.kind, coalesce(b.heading, ''), count(*)"
_CHANGED = "FROM tamper t LEFT JOIN block b ON b.id = t.before"
_TYPED = "coalesce(typed_wall, decided_wall), NULL FROM delivery"
_TRIED = "FROM page_attempt a JOIN page p ON p.id = a.page AND a.absent = 0"
_UNSENT = "FROM (SELECT * FROM page WHERE over NOT IN ('delivered', 'tried'))"
_KINDS = (
    ("wall", "SELECT wall, 0, 0, 'turn', role, task, '', '', 1, NULL FROM light"),
    ("wall", "SELECT wall, 1, id, 'state', role, state, evidence, '', 1, NULL FROM state_edge"),
    ("wall", "SELECT wall, 2, id, 'alert', agent, state, severity, message, state <> 'firing', NULL FROM alert_edge"),
    ("wall", "SELECT wall, 3, id, 'action', role, kind, '', '', NULL, ended_wall FROM action"),
    ("ended_wall", "SELECT ended_wall, 3, id, 'action', role, kind, message, hint, ok, NULL FROM action"),
    ("wall", "SELECT wall, 4, id, 'approval', NULL, task, approver, verdict, 1, NULL FROM approval"),
    (
        "started_wall + seconds",
        "SELECT started_wall + seconds, 5, id, 'gate', NULL, task, gate, seconds, ok, NULL FROM gate_run",
    ),
    ("wall", "SELECT wall, 6, id, 'forced', role, task, why, '', 1, NULL FROM forced"),
    (
        "t.wall",
        f"SELECT t.wall, 7, min(t.id), 'tamper', b.role, {_EDIT}, 0, NULL {_CHANGED}",
    ),
    (
        "t.accepted_wall",
        f"SELECT t.accepted_wall, 8, min(t.id), 'accepted', t.accepted, {_EDIT}, 1, NULL {_CHANGED}",
    ),
    ("wall", "SELECT wall, 9, id, 'rotation', NULL, blocks, tasks, '', 1, NULL FROM rotation"),
    (
        "accepted_wall",
        f"SELECT accepted_wall, 10, action, 'delivery', role, decided_wall, accepted_wall, proof, {_TYPED}",
    ),
    (
        "a.ended_wall",
        f"SELECT a.ended_wall, 11, a.id, 'page', p.role, p.title, a.channel, a.message, a.ok, NULL {_TRIED}",
    ),
    ("over_wall", f"SELECT over_wall, 12, 0, 'unsent', role, title, over, '', 0, NULL {_UNSENT}"),
)
"""When a line is told, and the line as ``history.line`` reads it, with the moment from which on another stands for it.

A poke that nobody is known to have taken is left out: when it was given up is not on record.
"""
_GROUPED = {"t.wall": " GROUP BY t.wall, t.kind", "t.accepted_wall": " GROUP BY t.accepted_wall, t.accepted, t.kind"}


def read_log(connection: sqlite3.Connection, since: float, until: float) -> Spans[LogLine]:
    """Return the lines told until ``until``: all since ``since``, and of before those that were shown then."""
    return Spans(_spans(connection, since, until))


def _spans(connection: sqlite3.Connection, since: float, until: float) -> Iterator[Span[LogLine]]:
    rows = []
    for when, select in _KINDS:
        group = _GROUPED.get(when, "")
        rows += connection.execute(f"{select} WHERE {when} >= ? AND {when} < ?{group}", (since, until)).fetchall()
        rows += connection.execute(
            f"{select} WHERE {when} < ?{group} ORDER BY {when} DESC LIMIT {BEFORE}",
            (since,),
        ).fetchall()
    for row in sorted(rows, key=lambda row: row[:3]):
        ended = row[9]
        yield Span(row[0], EVER if ended is None else ended, history.line(row[:9]))
