"""Edges, alerts and actions in the ledger. All functions run inside a transaction of ``store``."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from teamops.domain import log_lines
from teamops.ledger.rows import BegunAction
from teamops.model.actions import (
    Action,
    Append,
    By,
    Outcome,
    Poke,
    Quarantine,
    Restart,
    Start,
    Stop,
    StopSpending,
    WriteReport,
)
from teamops.model.agent import AgentState
from teamops.model.agent_report import Delivery
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.budget import Step
from teamops.model.handoff import Severity
from teamops.model.role import Role
from teamops.model.snapshot import LogLine

RESOLVED_KEPT = 100
"""So many resolved alerts are told; their edges stay in the log for ever."""

_SPENDING = "spending "
"""Begins the kind of a hard stop's steps."""

_LOG = """
SELECT wall, rank, id, kind, role, a, b, c, ok FROM (
  SELECT * FROM (SELECT wall, 0 AS rank, 0 AS id, 'turn' AS kind, role, task AS a, '' AS b, '' AS c, 1 AS ok
                 FROM light ORDER BY wall DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT wall, 1, id, 'state', role, state, evidence, '', 1 FROM state_edge
                 ORDER BY wall DESC, id DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT wall, 2, id, 'alert', agent, state, severity, message, state <> 'firing' FROM alert_edge
                 ORDER BY wall DESC, id DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT coalesce(ended_wall, wall), 3, id, 'action', role, kind, message, hint, ok
                 FROM action ORDER BY coalesce(ended_wall, wall) DESC, id DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT wall, 4, id, 'approval', NULL, task, approver, verdict, 1 FROM approval
                 ORDER BY wall DESC, id DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT started_wall + seconds AS ended, 5, id, 'gate', NULL, task, gate, seconds, ok FROM gate_run
                 ORDER BY ended DESC, id DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT wall, 6, id, 'forced', role, task, why, '', 1 FROM forced ORDER BY wall DESC, id DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT t.wall AS noticed, 7, min(t.id), 'tamper', b.role, t.kind, coalesce(b.heading, ''), count(*), 0
                 FROM tamper t LEFT JOIN block b ON b.id = t.before GROUP BY noticed, t.kind
                 ORDER BY noticed DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT t.accepted_wall AS at, 8, min(t.id), 'accepted', t.accepted, t.kind, coalesce(b.heading, ''),
                 count(*), 1 FROM tamper t LEFT JOIN block b ON b.id = t.before WHERE t.accepted <> ''
                 GROUP BY at, t.accepted, t.kind ORDER BY at DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT wall, 9, id, 'rotation', NULL, blocks, tasks, '', 1 FROM rotation
                 ORDER BY wall DESC, id DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT coalesce(accepted_wall, typed_wall, decided_wall) AS at, 10, action, 'delivery', role,
                 decided_wall, accepted_wall, proof, coalesce(typed_wall, decided_wall) FROM delivery
                 WHERE accepted_wall IS NOT NULL OR (over = 1 AND refused = '') ORDER BY at DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT a.ended_wall AS at, 11, a.id, 'page', p.role, p.title, a.channel, a.message, a.ok
                 FROM page_attempt a JOIN page p ON p.id = a.page WHERE a.ended_wall IS NOT NULL AND a.absent = 0
                 ORDER BY at DESC, a.id DESC LIMIT :n)
  UNION ALL
  SELECT * FROM (SELECT over_wall, 12, 0, 'unsent', role, title, over, '', 0 FROM page
                 WHERE over_wall IS NOT NULL AND over NOT IN ('delivered', 'tried') ORDER BY over_wall DESC LIMIT :n)
) ORDER BY wall DESC, rank DESC, id DESC LIMIT :n
"""


def last_states(connection: sqlite3.Connection) -> dict[Role, str]:
    """Return the state that each role was last known in."""
    rows = connection.execute(
        "SELECT role, state FROM state_edge WHERE id IN (SELECT max(id) FROM state_edge GROUP BY role)"
    )
    return {Role(role): state for role, state in rows}


def last_work(connection: sqlite3.Connection) -> dict[Role, float]:
    """Return when each role was last seen to begin to work, or to take or work on a line; Unix seconds."""
    rows = connection.execute(
        "SELECT role, max(wall) FROM (SELECT role, wall FROM state_edge WHERE state = ? UNION ALL"
        " SELECT role, coalesce(working_wall, accepted_wall) FROM delivery WHERE accepted_wall IS NOT NULL)"
        " GROUP BY role",
        (AgentState.WORKING.value,),
    )
    return {Role(role): float(wall) for role, wall in rows}


_ALERT_IS = (
    "code, subject, severity, state, message, do, agent, since_wall, changed_wall, notify, silenced_wall,"
    " silenced_until, hidden_by, paged_wall, escalated, thread, asked_wall, owed, answered, held_wall"
)


def alerts(connection: sqlite3.Connection) -> list[Alert]:
    """Return the open alerts and those resolved last, newest first in each."""
    rows = connection.execute(
        f"SELECT {_ALERT_IS} FROM alert ORDER BY state = 'resolved', changed_wall DESC LIMIT"  # noqa: S608 - constants
        " (SELECT count(*) FROM alert WHERE state <> 'resolved') + ?",
        (RESOLVED_KEPT,),
    )
    return [_alert(row) for row in rows]


def _alert(row: Any) -> Alert:
    return Alert(
        code=row[0],
        subject=row[1],
        severity=Severity(row[2]),
        state=AlertState(row[3]),
        message=row[4],
        do=row[5],
        agent=None if row[6] is None else Role(row[6]),
        since_wall=row[7],
        changed_wall=row[8],
        notify=bool(row[9]),
        silence=None if row[10] is None else Silence(row[10], row[11]),
        hidden_by=row[12],
        paged_wall=row[13],
        escalated=row[14],
        thread=row[15],
        asked_wall=row[16],
        owed=bool(row[17]),
        answered=row[18],
        held_wall=row[19],
    )


def save_alert(connection: sqlite3.Connection, alert: Alert) -> None:
    """Store an alert; where its state or text is new, the edge too.

    What a person said in another process just before stands: acknowledged stays so as long as it goes on, and a silence
    that this one has not heard of is kept.
    """
    row = connection.execute(f"SELECT {_ALERT_IS} FROM alert WHERE code = ? AND subject = ?", alert.key).fetchone()  # noqa: S608 - constants
    before = None if row is None else _alert(row)
    if before is not None and before.since_wall == alert.since_wall:
        if (before.state, alert.state) == (AlertState.ACKED, AlertState.FIRING):
            alert = replace(alert, state=AlertState.ACKED, changed_wall=before.changed_wall)
        if before.answered > alert.answered:
            alert = replace(alert, silence=before.silence, answered=before.answered)
    agent = None if alert.agent is None else str(alert.agent)
    connection.execute(
        f"INSERT OR REPLACE INTO alert({_ALERT_IS}, rounds) VALUES({'?, ' * 20}0)",
        (
            *alert.key,
            alert.severity.value,
            alert.state.value,
            alert.message,
            alert.do,
            agent,
            alert.since_wall,
            alert.changed_wall,
            int(alert.notify),
            *_span(alert.silence),
            alert.hidden_by,
            alert.paged_wall,
            alert.escalated,
            alert.thread,
            alert.asked_wall,
            int(alert.owed),
            alert.answered,
            alert.held_wall,
        ),
    )
    if before is None or before.state != alert.state or before.changed_wall != alert.changed_wall:
        _add_edge(connection, alert)


def answer_alert(connection: sqlite3.Connection, known: Alert, answered: Alert) -> bool:
    """Store what a person said to an alert, from another process than the one in which it lives; return whether it is.

    It isn't where that firing of it is over by now. Written is what differs between ``known`` and ``answered``, and
    nothing else of what it may have become meanwhile.
    """
    row = connection.execute(
        f"SELECT {_ALERT_IS} FROM alert WHERE code = ? AND subject = ? AND since_wall = ?"  # noqa: S608 - constants
        " AND state IN ('firing', 'acked')",
        (*known.key, known.since_wall),
    ).fetchone()
    if row is None:
        return False
    now = _alert(row)
    if answered.state != known.state and now.state is AlertState.FIRING:
        now = replace(now, state=answered.state, changed_wall=answered.changed_wall)
        _add_edge(connection, now)
    if answered.silence != known.silence:
        now = replace(now, silence=answered.silence)
    connection.execute(
        "UPDATE alert SET state = ?, changed_wall = ?, silenced_wall = ?, silenced_until = ?, answered = answered + 1"
        " WHERE code = ? AND subject = ?",
        (now.state.value, now.changed_wall, *_span(now.silence), *now.key),
    )
    return True


def _span(silence: Silence | None) -> tuple[float | None, float | None]:
    return (None, None) if silence is None else (silence.since_wall, silence.until_wall)


def _add_edge(connection: sqlite3.Connection, alert: Alert) -> None:
    agent = None if alert.agent is None else str(alert.agent)
    connection.execute(
        "INSERT INTO alert_edge(wall, code, subject, severity, state, message, agent) VALUES(?, ?, ?, ?, ?, ?, ?)",
        (alert.changed_wall, *alert.key, alert.severity.value, alert.state.value, alert.message, agent),
    )


def begin_action(connection: sqlite3.Connection, action: Action, wall: float) -> int:
    """Store that ``action`` begins, in this process; return its row."""
    role = None if action.role is None else str(action.role)
    kind, text, title, critical = "restart", "", "", False
    if isinstance(action, Poke):
        kind, text = "poke", action.text
    elif isinstance(action, Append):
        kind, text, title = "append", action.text, action.task or ""
    elif isinstance(action, Start):
        kind = "start"
    elif isinstance(action, Stop):
        kind = "stop"
    elif isinstance(action, WriteReport):
        kind, text, title = "report", action.day, action.folder
    elif isinstance(action, StopSpending):
        kind, text, title = f"{_SPENDING}{action.step.value}", action.text, repr(action.since)
    elif isinstance(action, Quarantine):
        kind, title = "restore" if action.back else "quarantine", f"{action.violation} {action.patch}"
        text, critical = action.path, action.force
    cursor = connection.execute(
        "INSERT INTO action(wall, kind, role, text, title, critical, decided_by, reason, pid)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (wall, kind, role, text, title, int(critical), action.by.value, action.reason, os.getpid()),
    )
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT into a rowid table has one
    return cursor.lastrowid


def finish_action(connection: sqlite3.Connection, action_id: int, outcome: Outcome, wall: float) -> None:
    """Store how an action ended; the first word stands."""
    connection.execute(
        "UPDATE action SET ended_wall = ?, ok = ?, message = ?, hint = ?, evidence = ?"
        " WHERE id = ? AND ended_wall IS NULL",
        (wall, int(outcome.ok), outcome.message, outcome.hint, outcome.evidence, action_id),
    )


def unfinished_actions(connection: sqlite3.Connection) -> list[BegunAction]:
    """Return the actions without an outcome, oldest first."""
    rows = connection.execute(
        "SELECT id, wall, kind, role, text, title, critical, decided_by, reason, pid FROM action"
        " WHERE ended_wall IS NULL ORDER BY id"
    )
    return [BegunAction(row[0], _action(row), row[1], row[9]) for row in rows]


def restarts_since(connection: sqlite3.Connection, wall: float) -> dict[Role, int]:
    """Return how often each role was started again with success."""
    rows = connection.execute(
        "SELECT role, count(*) FROM action WHERE kind = 'restart' AND ok = 1 AND ended_wall >= ? GROUP BY role", (wall,)
    )
    return {Role(role): count for role, count in rows}


def last_poke(connection: sqlite3.Connection, role: Role, reason: str, wall: float) -> Outcome | None:
    """Return how the last poke of a role for ``reason``, or by a person since ``wall``, ended; a good end comes first.

    What another light was typed for says nothing of this one.
    """
    row = connection.execute(
        "SELECT ok, message, hint, evidence FROM action WHERE kind = 'poke' AND role = ? AND ended_wall IS NOT NULL"
        " AND (reason = ? OR (decided_by = ? AND wall >= ?)) ORDER BY ok DESC, id DESC LIMIT 1",
        (str(role), reason, By.PERSON.value, wall),
    ).fetchone()
    return None if row is None else Outcome(ok=bool(row[0]), message=row[1], hint=row[2], evidence=row[3])


def superseded(connection: sqlite3.Connection, task: str | None, digest: str) -> bool:
    """Return whether, after the block with that digest, another one of its task was handed on: its light is past."""
    later = connection.execute(
        "SELECT later.task FROM block later JOIN block was"
        " ON was.id = (SELECT min(id) FROM block WHERE digest = ?) AND later.id > was.id AND later.place > was.place",
        (digest,),
    )
    return any((name or "").lower() == (task or "").lower() for (name,) in later)


def log(connection: sqlite3.Connection, limit: int) -> list[LogLine]:
    """Return what happened last, newest first, in the words of ``domain.log_lines``.

    Blocks that one edit changed, or that were accepted at once, are one line.
    """
    return [line(row) for row in connection.execute(_LOG, {"n": limit})]


def _action(row: Any) -> Action:
    role, by, reason = (None if row[3] is None else Role(row[3])), By(row[7]), row[8]
    if row[2] == "report":
        return WriteReport(day=row[4], folder=row[5], files=(), by=by, reason=reason)
    if role is None or row[2] in ("quarantine", "restore"):
        number, _, patch = (row[5] or "0 ").partition(" ")
        return Quarantine(
            violation=int(number),
            patch=patch,
            path=row[4],
            by=by,
            role=role,
            back=row[2] == "restore",
            force=bool(row[6]),
            reason=reason,
        )
    if row[2] == "poke":
        return Poke(role=role, text=row[4], by=by, reason=reason)
    if row[2] == "append":
        return Append(role=role, task=row[5] or None, text=row[4], by=by, reason=reason)
    if row[2] == "start":
        return Start(role=role, by=by, reason=reason)
    if row[2] == "stop":
        return Stop(role=role, by=by, reason=reason)
    if row[2].startswith(_SPENDING):
        step = Step(row[2].removeprefix(_SPENDING))
        return StopSpending(role=role, step=step, text=row[4], since=float(row[5] or 0), by=by, reason=reason)
    return Restart(role=role, by=by, reason=reason)


def line(row: Any) -> LogLine:
    """Return the words of a row (wall, rank, number, kind, role, three facts, whether it went well)."""
    wall, _, _, kind, role, first, second, third, ok = row
    if kind in _OWN_WORDS:
        return _OWN_WORDS[kind](row)
    if kind == "turn":
        return log_lines.turn_line(wall, Role(role), first or None)
    if kind == "state":
        return log_lines.state_line(wall, Role(role), first, second)
    if kind == "alert":
        return log_lines.alert_line(wall, AlertState(first), second, third, None if role is None else Role(role))
    action = _action((0, wall, first, role, "", "", 0, By.RULE, ""))
    outcome = None if ok is None else Outcome(ok=bool(ok), message=second, hint=third)
    return log_lines.action_line(wall, action, outcome)


def _delivery_line(row: Any) -> LogLine:
    delivery = Delivery(
        action_id=row[2],
        role=Role(row[4]),
        text="",
        by=By.RULE,
        light="",
        attempt=0,
        decided_wall=row[5],
        typed_wall=row[8],
        accepted_wall=row[6],
        proof=row[7],
        over=True,
    )
    line = log_lines.delivery_line(delivery)
    assert line is not None  # noqa: S101 - it was accepted, or is over
    return line


_OWN_WORDS: dict[str, Callable[[Any], LogLine]] = {
    "approval": lambda row: log_lines.approval_line(row[0], row[5], row[6], row[7]),
    "gate": lambda row: log_lines.gate_line(row[0], row[5], row[6], row[7], ok=bool(row[8])),
    "forced": lambda row: log_lines.forced_line(row[0], Role(row[4]), row[5], row[6]),
    "tamper": lambda row: log_lines.tamper_line(
        row[0], row[5], row[7], row[6], None if row[4] is None else Role(row[4])
    ),
    "delivery": _delivery_line,
    "page": lambda row: log_lines.page_line(
        row[0], row[5], row[6], row[7], None if row[4] is None else Role(row[4]), ok=bool(row[8])
    ),
    "unsent": lambda row: log_lines.unsent_line(row[0], row[5], row[6], None if row[4] is None else Role(row[4])),
    "rotation": lambda row: log_lines.rotation_line(row[0], row[5], row[6]),
    "accepted": lambda row: log_lines.accepted_line(row[0], row[4], row[5], row[7], row[6]),
}
