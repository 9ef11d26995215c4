"""The life of an alert: pending → firing → acknowledged → resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from teamops.model.alert import Alert, AlertState, Finding

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """What one round made of the alerts."""

    alerts: Mapping[Key, Alert]
    """All of them, resolved ones too."""
    changed: tuple[Alert, ...]
    """Those whose state or text is new, but pending ones: to be stored."""
    fired: tuple[Alert, ...]
    """Those that began to fire in this round."""
    resolved: tuple[Alert, ...]


def step(alerts: Mapping[Key, Alert], findings: Iterable[Finding], wall: float, *, counts: bool) -> Step:
    """Return the alerts after one round of the rules.

    ``counts`` says whether this round counts towards a finding's ``rounds``: rounds of the clock do, rounds between
    them (a burst of events) and the first after a gap do not.
    """
    seen = {(finding.code, finding.subject): finding for finding in findings}
    after = dict(alerts)
    changed: list[Alert] = []
    fired: list[Alert] = []
    resolved: list[Alert] = []
    for key, finding in seen.items():
        before = alerts.get(key)
        alert = _seen(before, finding, wall, counts=counts)
        if alert == before:
            continue
        after[key] = alert
        if alert.state is not AlertState.PENDING and (
            before is None or (before.state, before.message) != (alert.state, alert.message)
        ):
            changed.append(alert)
        if alert.state is AlertState.FIRING and (before is None or before.state is not AlertState.FIRING):
            fired.append(alert)
    for key, before in alerts.items():
        if key in seen or before.state is AlertState.RESOLVED:
            continue
        if before.state is AlertState.PENDING:
            del after[key]
            continue
        after[key] = replace(before, state=AlertState.RESOLVED, changed_wall=wall, rounds=0)
        changed.append(after[key])
        resolved.append(after[key])
    return Step(after, tuple(changed), tuple(fired), tuple(resolved))


def acknowledge(alert: Alert, wall: float) -> Alert:
    """Return ``alert`` as seen by the person; one that isn't firing stays as it is."""
    if alert.state is not AlertState.FIRING:
        return alert
    return replace(alert, state=AlertState.ACKED, changed_wall=wall)


def _seen(before: Alert | None, finding: Finding, wall: float, *, counts: bool) -> Alert:
    """Return the alert of a finding that this round saw."""
    fresh = before is None or before.state is AlertState.RESOLVED
    rounds = (0 if before is None or fresh else before.rounds) + (1 if counts else 0)
    enough = finding.rounds <= 1 or rounds >= finding.rounds
    if before is None or fresh:
        state = AlertState.FIRING if enough else AlertState.PENDING
        since = changed_wall = wall
    else:
        fires = before.state is AlertState.PENDING and enough
        state = AlertState.FIRING if fires else before.state
        since = wall if fires else before.since_wall
        changed_wall = wall if fires else before.changed_wall
    return Alert(
        code=finding.code,
        subject=finding.subject,
        severity=finding.severity,
        state=state,
        message=finding.message,
        do=finding.do,
        agent=finding.agent,
        since_wall=since,
        changed_wall=changed_wall,
        # Counted no further than needed: an alert that stands still is equal to itself from round to round.
        rounds=min(rounds, finding.rounds),
        notify=finding.notify,
    )
