"""The book as an immutable snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from teamops.domain import light
from teamops.domain.budget_alerts import lift_of
from teamops.model.agent import AgentState, AgentView
from teamops.model.alert import Alert, AlertState
from teamops.model.boundary import BoundaryView, Violation
from teamops.model.budget import BudgetLine
from teamops.model.handoff import Standing
from teamops.model.role import HUMAN, Role
from teamops.model.snapshot import LightView, Snapshot
from teamops.model.spend import Spend
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.book import Book
from teamops.supervisor.minutes import MINUTES, Strips

RESOLVED_SHOWN_S = 3600.0
"""A resolved alert stays on the screen for so long."""


def view(
    book: Book,
    revision: int,
    *,
    ready: bool,
    budgets: tuple[BudgetLine, ...] = (),
    boundaries: Mapping[Role, BoundaryView] | None = None,
    violations: tuple[Violation, ...] = (),
) -> Snapshot:
    """Return the snapshot of ``book`` now."""
    now = book.stamp.now
    agents = _agents(book, boundaries or {})
    return Snapshot(
        revision=revision,
        stamp=book.stamp,
        project=book.settings.project,
        root=str(book.settings.root),
        handoff_path=str(book.settings.handoff),
        supervisor=book.supervisor,
        ready=ready,
        lights=tuple(_light(book, held, reading) for held, reading in book.readings(now)),
        tasks=book.protocol.tasks,
        agents=agents,
        alerts=_alerts(book),
        log=book.log,
        blocks=book.handoff.blocks,
        problems=book.handoff.problems,
        findings=book.protocol.findings,
        handoff_trouble=": ".join(part for part in book.handoff_trouble or () if part),
        cost_today_usd=sum((agent.cost_today_usd for agent in agents), Decimal(0)),
        unpriced_tokens=sum(agent.unpriced_tokens for agent in agents),
        spent=book.costs.blocks,
        budgets=budgets,
        violations=violations,
        troubles=(
            *((book.supervisor.unrecorded.words,) if book.supervisor.unrecorded is not None else ()),
            *((f"sign-offs and rewrites can't be judged: {book.protocol.unjudged}",) if book.protocol.unjudged else ()),
            *(f"{source}: {message}" for source, (message, _) in sorted(book.troubles.items())),
            *(note for _, note in sorted(book.notes.items())),
        ),
    )


def name_of(book: Book, role: Role) -> str:
    """Return the persona's name of a role."""
    if role == HUMAN:
        return "you"
    settings = book.settings.role(role)
    return settings.name if settings else ""


def _light(book: Book, held: light.Light, reading: light.Reading) -> LightView:
    limits, task = book.settings.limits, book.protocol.task(held.task)
    return LightView(
        task=held.task,
        role=held.role,
        name=name_of(book, held.role),
        tier=held.tier,
        stage=held.stage,
        since_wall=held.since_wall,
        age_s=max(0.0, book.stamp.now - held.since),
        unanswered_s=reading.unanswered_s,
        waiting_after_s=limits.waiting_for(held.tier),
        stale_after_s=limits.stale_for(held.tier),
        state=reading.state,
        line=held.line,
        answered=reading.answered,
        stages=book.protocol.stages(held.task, book.stamp.wall),
        rounds=task.rounds if task is not None else 0,
        standing=task.standing if task is not None else Standing.OPEN,
        cost=book.costs.lights.get((held.task or "").lower(), Spend()),
    )


def _agents(book: Book, boundaries: Mapping[Role, BoundaryView]) -> tuple[AgentView, ...]:
    """Return all agents; the very same value as before of one that was not judged since."""
    holders = book.holders()
    for page in book.agents.values():
        cycle, boundary = book.costs.cycles.get(page.role), boundaries.get(page.role)
        if page.view is None or page.view.cycle is not cycle or page.view.boundary is not boundary:
            page.view = _agent(book, page, tuple(held.task for held in holders.get(page.role, ())), boundary)
    return tuple(page.view for page in book.agents.values() if page.view is not None)


def _agent(book: Book, page: AgentBook, lights: tuple[str | None, ...], boundary: BoundaryView | None) -> AgentView:
    now = book.stamp.now
    beats, tokens, cost = _strips(page, int(book.stamp.wall // 60))
    return AgentView(
        role=page.role,
        name=name_of(book, page.role),
        client=page.client,
        session=page.settings.session if page.settings and not book.settings.watch_only else "",
        state=page.state,
        evidence=page.evidence,
        lights=lights,
        pid=page.pane.pid if page.pane and not page.dead else None,
        pane_id=page.pane.pane_id if page.pane else None,
        beat_age_s=_age(page, now),
        message=page.message,
        tokens_per_min=page.tokens_per_min(now),
        cost_today_usd=page.cost_today,
        unpriced_tokens=page.unpriced_today,
        rss_bytes=page.rss_bytes,
        restarts=page.restarts,
        held=_held(page),
        lift=lift_of(page.hold),
        beats=beats,
        tokens=tokens,
        cost=cost,
        exit_status=page.exit_status if page.dead else None,
        exit_signal=page.exit_signal if page.dead else None,
        can_restart=book.restartable(page),
        evidences=page.evidences,
        last_error=page.last_error,
        memory_note=page.memory_note,
        backing_off_until_wall=_until(book, page),
        badges=page.badges,
        spike=page.spike,
        cycle=book.costs.cycles.get(page.role),
        boundary=boundary,
    )


def _strips(page: AgentBook, last: int) -> Strips:
    """Return the beats, tokens and dollars of each minute up to ``last``; the very same where none has changed."""
    if page.strips is not None and page.strips[0] == last:
        return page.strips[1]
    beats, tokens, cost = [0] * MINUTES, [0] * MINUTES, [0.0] * MINUTES
    for index, row in page.minutes.items():
        at = index - last + MINUTES - 1
        if 0 <= at < MINUTES:
            beats[at], tokens[at], cost[at] = row.beats, row.tokens, row.cost
    page.strips = last, (tuple(beats), tuple(tokens), tuple(cost))
    return page.strips[1]


def _age(page: AgentBook, now: float) -> float | None:
    """Return how long ago it beat, itself or by its client's hooks."""
    beat, told = page.beat, page.told_at
    seen = told if beat is None else beat if told is None else max(beat, told)
    return None if seen is None else max(0.0, now - seen)


def _held(page: AgentBook) -> str:
    if page.hold is not None:
        return page.hold.why
    if page.state is not AgentState.HELD or page.keeping is None or page.keeping.held is None:
        return ""
    return page.keeping.held_why or page.keeping.held.value


def _until(book: Book, page: AgentBook) -> float | None:
    until = page.keeping.until if page.keeping is not None else None
    return None if until is None or until <= book.stamp.now else book.stamp.wall + until - book.stamp.now


def _alerts(book: Book) -> tuple[Alert, ...]:
    shown = [
        alert
        for alert in book.alerts.values()
        if alert.open
        or (alert.state is AlertState.RESOLVED and book.stamp.wall - alert.changed_wall < RESOLVED_SHOWN_S)
    ]
    return tuple(sorted(shown, key=lambda alert: (not alert.open, -alert.changed_wall, alert.key)))
