"""The life of an alert: pending → firing → acknowledged → resolved; hidden behind its cause, silenced by a person.

``now`` is in observed seconds, which stand still while teamops does not run: a suspend makes nothing fire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from teamops.domain.alert_rules import RULES, pages, rule_of, severity_of
from teamops.model.alert import Alert, AlertRule, AlertState, Finding, Silence
from teamops.model.handoff import Severity
from teamops.model.role import Role

Key = tuple[str, str]

SLACK_S = 0.2
"""A round of the clock may come by so much too soon after the last: nothing has to wait for one more because of it."""


_GRAVITY = {severity: place for place, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Step:
    """What one round made of the alerts."""

    alerts: Mapping[Key, Alert]
    """All of them, resolved ones too."""
    changed: tuple[Alert, ...]
    """Those of which something is new that has to be stored; never pending ones."""
    fired: tuple[Alert, ...]
    """Those that began to fire in this round."""
    resolved: tuple[Alert, ...]


def step(
    alerts: Mapping[Key, Alert],
    findings: Iterable[Finding],
    now: float,
    wall: float,
    *,
    gap: bool = False,
    rules: Mapping[str, AlertRule] = RULES,
) -> Step:
    """Return the alerts after one round of the rules.

    ``gap``: teamops did not run just before this round. What was pending begins to wait anew, and what seems to be over
    isn't yet: the evidence of that time is still coming in.
    """
    seen = {(finding.code, finding.subject): finding for finding in findings}
    after = dict(alerts)
    for key, finding in seen.items():
        after[key] = _seen(alerts.get(key), finding, rule_of(finding.code, rules), now, wall, gap=gap)
    for key, before in alerts.items():
        if key not in seen and before.state is not AlertState.RESOLVED:
            gone = _unseen(before, rule_of(before.code, rules), now, wall, gap=gap)
            if gone is None:
                del after[key]
            else:
                after[key] = gone
    hide(after, rules)
    changed, fired, resolved = [], [], []
    for key, alert in after.items():
        known = alerts.get(key)
        if alert == known or alert.state is AlertState.PENDING:
            continue
        changed.append(alert)
        if alert.state is AlertState.FIRING and (known is None or known.state is not AlertState.FIRING):
            fired.append(alert)
        if alert.state is AlertState.RESOLVED:
            resolved.append(alert)
    return Step(after, tuple(changed), tuple(fired), tuple(resolved))


def acknowledge(alert: Alert, wall: float) -> Alert:
    """Return ``alert`` as seen by the person; one that isn't firing stays as it is."""
    if alert.state is not AlertState.FIRING:
        return alert
    return replace(alert, state=AlertState.ACKED, changed_wall=wall)


def silence(alert: Alert, wall: float, seconds: float | None) -> Alert:
    """Return ``alert`` silenced for so long; ``None`` = until its cause is gone."""
    return replace(alert, silence=Silence(wall, None if seconds is None else wall + seconds))


def speak(alert: Alert) -> Alert:
    """Return ``alert`` without its silence."""
    return replace(alert, silence=None)


def heard(mine: Alert, told: Alert, wall: float) -> Alert:
    """Return ``mine`` with what a person did to it in another process, whose word of it is ``told``.

    Of silences only one that holds, or that none does any more, is news.
    """
    if told.state is AlertState.ACKED and mine.state is AlertState.FIRING and told.since_wall == mine.since_wall:
        mine = replace(mine, state=AlertState.ACKED, changed_wall=told.changed_wall)
    if told.silence != mine.silence and (told.silenced(wall) or mine.silenced(wall)):
        mine = replace(mine, silence=told.silence)
    return replace(mine, answered=told.answered) if told.since_wall == mine.since_wall else mine


def remember(alert: Alert, now: float, wall: float) -> Alert:
    """Return an alert of an earlier life as this one goes on with it at ``now``: what has passed since then has passed.

    A wall clock that was set back makes nothing happen in the future.
    """

    def observed(at: float | None) -> float:
        return now if at is None else now - max(0.0, wall - at)

    return replace(
        alert,
        since=observed(alert.since_wall),
        paged=observed(alert.paged_wall),
        asked=observed(alert.asked_wall),
        clear=None,
    )


def _seen(before: Alert | None, finding: Finding, rule: AlertRule, now: float, wall: float, *, gap: bool) -> Alert:
    """Return the alert of a finding that this round saw."""
    severity, notify = severity_of(finding, {rule.code: rule}), pages(finding, {rule.code: rule})
    if before is None or before.state is AlertState.RESOLVED:
        quiet = None if before is None else before.silence
        alert = Alert(
            code=finding.code,
            subject=finding.subject,
            severity=severity,
            state=AlertState.PENDING,
            message=finding.message,
            do=finding.do,
            agent=finding.agent,
            since_wall=wall,
            changed_wall=wall,
            notify=notify,
            silence=None if quiet is None or quiet.until_wall is None or not quiet.holds(wall) else quiet,
            since=now,
        )
    else:
        alert = replace(
            before,
            severity=severity,
            message=finding.message,
            do=finding.do,
            agent=finding.agent,
            notify=notify,
            since=now if gap and before.state is AlertState.PENDING else before.since,
            clear=None,
        )
        if before.state is AlertState.ACKED and _is_graver(alert, before):
            # They have seen what it was, not what it has become.
            alert = replace(
                alert, state=AlertState.FIRING, since_wall=wall, changed_wall=wall, since=now, paged=0.0,
                paged_wall=None, escalated=0, asked_wall=None, owed=False,
            )  # fmt: skip
    if alert.state is AlertState.PENDING and now - alert.since >= rule.for_s - (SLACK_S if rule.for_s else 0.0):
        alert = replace(alert, state=AlertState.FIRING, since_wall=wall, changed_wall=wall, since=now)
    return alert


def _is_graver(alert: Alert, than: Alert) -> bool:
    return (alert.notify and not than.notify) or _GRAVITY[alert.severity] > _GRAVITY[than.severity]


def _unseen(before: Alert, rule: AlertRule, now: float, wall: float, *, gap: bool) -> Alert | None:
    """Return what becomes of an alert whose cause this round did not see; ``None`` = nothing, it never fired."""
    if before.state is AlertState.PENDING:
        return None
    clear = now if before.clear is None or gap else before.clear
    if gap or now - clear < rule.keep_firing_s:
        return replace(before, clear=clear)
    return replace(before, state=AlertState.RESOLVED, changed_wall=wall, clear=None, hidden_by="")


def hide(alerts: dict[Key, Alert], rules: Mapping[str, AlertRule]) -> None:
    """Hide what is the consequence of something else that fires, or that is hidden as a consequence in its turn.

    Nothing that calls a person is hidden by what calls nobody or is less grave (it may wait for the end of the quiet
    hours, and a critical one may not), and no rule hides itself by way of others: behind each
    hidden alert there is one that is told.
    """
    hiding: dict[Role | None, list[Alert]] = {}
    for alert in alerts.values():
        if alert.open and rule_of(alert.code, rules).inhibits:
            hiding.setdefault(alert.agent, []).append(alert)
    for key, alert in alerts.items():
        if alert.state is AlertState.RESOLVED:
            continue
        # What is about no agent stands for all of them.
        others = [*hiding.get(None, ()), *(hiding.get(alert.agent, ()) if alert.agent is not None else ())]
        behind = next((other.code for other in others if _inhibits(other, alert, rules)), "")
        if behind != alert.hidden_by:
            alerts[key] = replace(alert, hidden_by=behind)


def _inhibits(other: Alert, alert: Alert, rules: Mapping[str, AlertRule]) -> bool:
    """Return whether ``other`` stands for ``alert``: what calls for nobody, or for less, stands for no call."""
    told = other.notify and _GRAVITY[other.severity] >= _GRAVITY[alert.severity]
    return alert.code in rule_of(other.code, rules).inhibits and (told or not alert.notify)
