"""Alerts for programs and for people, and the list of all that there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from teamops.domain.log_lines import silence_words
from teamops.model.alert import Alert, AlertRule
from teamops.model.handoff import Severity
from teamops.model.snapshot import Snapshot
from teamops.report.times import iso, moment

SCHEMA = "teamops.alerts/1"
CODES_SCHEMA = "teamops.alert-codes/1"
_WEIGHT = {severity: weight for weight, severity in enumerate(Severity)}


def chosen(alerts: Iterable[Alert], *, every: bool) -> list[Alert]:
    """Return the alerts that are listed, open ones first, of those the worst; with ``every`` hidden and past ones."""
    listed = [alert for alert in alerts if every or (alert.open and not alert.hidden_by)]
    return sorted(listed, key=lambda alert: (not alert.open, -_WEIGHT[alert.severity], alert.since_wall, alert.key))


def alerts_json(snapshot: Snapshot, alerts: Iterable[Alert]) -> dict[str, Any]:
    """Return alerts in the shape ``teamops.alerts/1``."""
    return {
        "schema": SCHEMA,
        "project": snapshot.project,
        "at": iso(snapshot.stamp.wall),
        "unrecorded": unrecorded_words(snapshot),
        "alerts": [alert_json(alert, snapshot.stamp.wall) for alert in alerts],
    }


def alert_json(alert: Alert, wall: float) -> dict[str, Any]:
    """Return one alert; ``wall``: this moment."""
    silenced = alert.silenced(wall)
    until = alert.silence.until_wall if silenced and alert.silence is not None else None
    return {
        "code": alert.code,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "agent": alert.agent,
        "subject": alert.subject,
        "since": iso(alert.since_wall),
        "message": alert.message,
        "do": alert.do,
        "pages": alert.notify,
        "told": iso(alert.paged_wall),
        "held_until": iso(alert.held_wall) if alert.held(wall) else None,
        "hidden_by": alert.hidden_by or None,
        "silenced": silenced,
        "silenced_until": iso(until),
    }


def alerts_text(snapshot: Snapshot, alerts: Sequence[Alert]) -> str:
    """Return alerts as lines for a person."""
    unrecorded = unrecorded_words(snapshot)
    lines = [f"! {unrecorded}"] if unrecorded is not None else []
    if not alerts:
        return "\n".join([*lines, "nothing needs you, as far as is known" if lines else "nothing needs you"])
    for alert in alerts:
        about = _about(alert, snapshot.stamp.wall)
        lines.append(f"{alert.severity.value:<8} {alert.state.value:<8} {alert.code} {alert.subject}{about}")
        lines += [f"           {alert.message}", f"           → {alert.do}"]
    return "\n".join(lines)


def unrecorded_words(snapshot: Snapshot) -> str | None:
    """Return why what is shown may be old; ``None`` = it is not."""
    unrecorded = snapshot.supervisor.unrecorded
    return None if unrecorded is None else unrecorded.words


def waits(alert: Alert, wall: float) -> list[str]:
    """Return in words why nobody is told of an alert at ``wall`` who else would be: silenced, held by the cap."""
    said = [silence_words(alert.silence, wall)] if alert.silenced(wall) else []
    if alert.held_wall is not None and alert.held(wall):
        said.append(f"held by the cap until {moment(alert.held_wall, wall)}")
    return said


def _about(alert: Alert, wall: float) -> str:
    said = waits(alert, wall)
    said += [f"hidden by {alert.hidden_by}"] if alert.hidden_by else []
    return f"  ({', '.join(said)})" if said else ""


def codes_json(rules: Iterable[AlertRule]) -> dict[str, Any]:
    """Return every alert there is in the shape ``teamops.alert-codes/1``."""
    return {
        "schema": CODES_SCHEMA,
        "codes": [
            {
                "code": rule.code,
                "severity": rule.severity.value,
                "else_severity": None if rule.else_severity is None else rule.else_severity.value,
                "else_when": rule.else_when or None,
                "pages": rule.page,
                "told": rule.paged,
                "for_s": rule.for_s,
                "repeat_s": rule.repeat_s,
                "inhibits": sorted(rule.inhibits),
                "meaning": rule.meaning,
                "evidence": rule.evidence,
                "do": rule.do,
            }
            for rule in rules
        ],
    }


def codes_text(rules: Iterable[AlertRule]) -> str:
    """Return every alert there is as lines for a person."""
    lines = []
    for rule in rules:
        told = f"calls you: {rule.paged}" if rule.page else "calls nobody"
        lines += [f"{rule.code}  ({rule.severity_words}; {told})", f"  {rule.meaning}"]
        lines += [f"  shown by: {rule.evidence}", f"  → {rule.do}"]
    return "\n".join(lines)
