"""What can't be written to the ledger, told in few enough bytes for a file that needs no room: the lease."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from teamops.ledger.room import is_full
from teamops.model.alert import Alert, AlertState, Silence
from teamops.model.handoff import Severity
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot
from teamops.model.text import clean_line
from teamops.model.unrecorded import Unrecorded

_LONGEST = 160
"""Of one text, so that many alerts find room."""
_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}


def full(folder: Path) -> Unrecorded | None:
    """Return that the disk of ``folder`` is full; ``None`` = it is not, or nobody can say."""
    return Unrecorded(f"the disk of {folder} is full") if is_full(folder) else None


def unrecorded_by(snapshot: Snapshot) -> Unrecorded | None:
    """Return what the supervisor of ``snapshot`` knows and can't write; ``None`` where it writes all."""
    alerts = [alert for alert in snapshot.alerts if alert.open]
    why = next((alert.message for alert in alerts if alert.key == ("ledger-troubled", "ledger")), None)
    if why is None:
        return None
    return Unrecorded(why, tuple(sorted(alerts, key=_place)))


def _place(alert: Alert) -> tuple[bool, int, float]:
    return bool(alert.hidden_by), -_WEIGHT[alert.severity], alert.since_wall


def row_of(unrecorded: Unrecorded, room: int) -> dict[str, Any]:
    """Return it for JSON of at most ``room`` bytes: as many alerts as find room, the first ones first."""
    alerts = unrecorded.alerts
    row: dict[str, Any] = {"why": clean_line(unrecorded.why, _LONGEST * 2), "alerts": None, "more": unrecorded.more}
    if alerts is None:
        return row
    row["alerts"] = kept = list[list[Any]]()
    left = room - len(json.dumps(row)) - len(str(len(alerts)))
    for place, alert in enumerate(alerts):
        one = _row(alert)
        left -= len(json.dumps(one)) + 2
        if left < 0:
            row["more"] += len(alerts) - place
            break
        kept.append(one)
    return row


def _row(alert: Alert) -> list[Any]:
    silence = alert.silence
    return [
        alert.code,
        alert.subject,
        alert.severity.value,
        alert.state.value,
        clean_line(alert.message, _LONGEST),
        clean_line(alert.do, _LONGEST),
        alert.agent,
        alert.since_wall,
        alert.changed_wall,
        alert.notify,
        None if silence is None else [silence.since_wall, silence.until_wall],
        alert.hidden_by,
        alert.paged_wall,
    ]


def unrecorded_of(row: dict[str, Any]) -> Unrecorded:
    """Return what ``row_of`` made a row of. Raises ``ValueError``, ``KeyError`` or ``TypeError`` for any other."""
    alerts = row["alerts"]
    return Unrecorded(str(row["why"]), None if alerts is None else tuple(_alerts(alerts)), int(row["more"]))


def _alerts(rows: Iterable[Any]) -> Iterable[Alert]:
    for code, subject, severity, state, message, do, agent, since, changed, notify, silence, hidden_by, paged in rows:
        yield Alert(
            code=code,
            subject=subject,
            severity=Severity(severity),
            state=AlertState(state),
            message=message,
            do=do,
            agent=None if agent is None else Role(agent),
            since_wall=since,
            changed_wall=changed,
            notify=notify,
            silence=None if silence is None else Silence(*silence),
            hidden_by=hidden_by,
            paged_wall=paged,
        )
