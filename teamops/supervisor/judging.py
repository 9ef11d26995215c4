"""The rules asked of the whole book: what a person has to know now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from teamops.domain import alert_rules, log_lines, protocol_alerts
from teamops.domain import alerts as alerts_rule
from teamops.domain import findings as rules
from teamops.domain.light import Light
from teamops.domain.restart import GONE
from teamops.model.alert import Finding
from teamops.model.page import Page
from teamops.supervisor.book import Book, is_let_go

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


def judge_all(core: Core) -> None:
    """Ask all rules, let the alerts live on, and decide who is told of what."""
    book, acting = core.book, core.book.supervisor.acting
    if core.memory.hear_viewers(book):
        core.paging.hear_tries(book)
    found = findings_of(book, core.announcer.missed(book))
    for part in core.judging:
        found += part.findings(book)
    # Where nobody acts nobody remembers: one look has to do.
    known = book.settings.alert_rules if acting else alert_rules.at_once(book.settings.alert_rules)
    gap = acting and core.gapped
    step = alerts_rule.step(book.alerts, found, book.stamp.now, book.stamp.wall, gap=gap, rules=known)
    book.alerts = dict(step.alerts)
    changed = {alert.key: alert for alert in step.changed}
    pages: tuple[tuple[Page, int], ...] = ()
    if acting and not gap:
        decided = core.paging.decide(book)
        pages = decided.pages
        told = {alert.key: alert for alert in decided.alerts}
        book.alerts |= told
        changed |= told
    for alert in (*step.fired, *step.resolved):
        book.note(log_lines.alert_line_of(alert))
    core.memory.alerts_changed(book, tuple(changed.values()), pages)
    core.paging.take(pages)


def findings_of(book: Book, missed: Iterable[tuple[Light, str]]) -> list[Finding]:
    """Return all that is to be said now; ``missed``: lights whose holder was not told, and why."""
    managed = frozenset(role for role in book.agents if book.manages(role))
    readings = [(held, reading) for held, reading in book.readings(book.stamp.now) if book.expects_work(held)]
    found = rules.light_findings(readings, managed=managed)
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
