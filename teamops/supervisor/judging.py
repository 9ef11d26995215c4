"""The rules asked of the whole book: what a person has to know now."""

from __future__ import annotations

from collections.abc import Iterable

from teamops.domain import findings as rules
from teamops.domain import protocol_alerts
from teamops.domain.light import Light
from teamops.domain.restart import GONE
from teamops.model.alert import Finding
from teamops.supervisor.book import Book, is_let_go


def findings_of(book: Book, missed: Iterable[tuple[Light, str]]) -> list[Finding]:
    """Return all that is to be said now; ``missed``: lights whose holder was not told, and why."""
    managed = frozenset(role for role in book.agents if book.manages(role))
    found = rules.light_findings(book.readings(book.stamp.now), managed=managed)
    for page in book.agents.values():
        if is_let_go(page) and page.health in GONE:
            continue
        found += rules.agent_findings(
            page.role,
            page.health,
            page.health_evidence,
            holds_light=bool(book.held_by(page.role)),
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
