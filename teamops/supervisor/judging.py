"""The rules asked of the whole book: what a person has to know now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from teamops.domain import alerts as alerts_rule
from teamops.domain import findings as rules
from teamops.domain import log_lines, protocol_alerts
from teamops.domain.light import Light
from teamops.domain.restart import GONE
from teamops.model.actions import Notify
from teamops.model.alert import Alert, Finding
from teamops.model.handoff import Severity
from teamops.supervisor.book import Book, is_let_go

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


def judge_all(core: Core, *, counts: bool) -> None:
    """Ask all rules, and let the alerts live on. ``counts``: a round of the clock."""
    book = core.book
    found = findings_of(book, core.announcer.missed(book))
    for part in core.judging:
        found += part.findings(book)
    if not book.supervisor.acting:
        # Nobody acts and nobody remembers: one look has to do.
        found = [replace(finding, rounds=1) for finding in found]
    step = alerts_rule.step(book.alerts, found, book.stamp.wall, counts=counts)
    book.alerts = dict(step.alerts)
    for alert in step.fired:
        book.note(log_lines.alert_line_of(alert))
        if alert.notify and book.supervisor.acting:
            # Begun before the alert is stored as told: killed in between, the next life fires and tells it anew.
            core.begin(notice_of(book.settings.project, alert))
    core.memory.alerts_changed(book, step.changed)
    for alert in step.resolved:
        book.note(log_lines.alert_line_of(alert))


def findings_of(book: Book, missed: Iterable[tuple[Light, str]]) -> list[Finding]:
    """Return all that is to be said now; ``missed``: lights whose holder was not told, and why."""
    managed = frozenset(role for role in book.agents if book.manages(role))
    found = rules.light_findings(book.readings(book.stamp.now), managed=managed)
    holders = book.holders()
    for page in book.agents.values():
        if is_let_go(page) and page.health in GONE:
            continue
        found += rules.agent_findings(
            page.role,
            page.health,
            page.health_evidence,
            holds_light=page.role in holders,
            ended=page.health_evidence.detail,
            auth=page.auth,
        )
    protocol = book.protocol
    found += rules.handoff_findings(book.handoff_trouble, book.errors)
    found += protocol_alerts.broken_findings(protocol.live, protocol.walls, book.stamp.wall)
    found += protocol_alerts.human_findings(book.lights.values())
    found += protocol_alerts.unannounced_findings(missed)
    if protocol.proof is not None:
        found += protocol_alerts.tamper_findings(protocol.proof.tampers)
    found += rules.trouble_findings(
        book.troubles, tmux_down=book.tmux_down, ledger=book.ledger_trouble, unjudged=protocol.unjudged
    )
    return found


def notice_of(project: str, alert: Alert) -> Notify:
    """Return the notification of an alert."""
    return Notify(
        title=f"{project}: {alert.code}",
        body=f"{alert.message}. {alert.do[:1].upper()}{alert.do[1:]}.",
        critical=alert.severity is Severity.CRITICAL,
        reason=f"{alert.code} {alert.subject}",
        role=alert.agent,
    )
