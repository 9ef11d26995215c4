"""What is asked of the supervisor of a day, or of some: what is on record, and the report that the rules make of it.

Read in a thread, by a connection of its own, as of one moment: no round of the supervisor waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.domain.day_report import Asked, Frame, day_report, frame
from teamops.domain.days import midnight, today
from teamops.domain.drift import BEFORE
from teamops.domain.presence import QUIET_S
from teamops.domain.spend_by_light import moments
from teamops.handoff import ROLES, parse
from teamops.ledger.peek import Look, look_into
from teamops.ledger.report_facts import StoredBlock
from teamops.ledger.spent import SpentRow, spend_of
from teamops.model.day_facts import DayFacts, Span
from teamops.model.day_report import MOST_DAYS, DayReport
from teamops.model.errors import UsageError
from teamops.model.handoff import Block
from teamops.model.role import Role
from teamops.model.spend import Spend
from teamops.supervisor.cost_reports import Terms, terms_of
from teamops.supervisor.costing import Known

if TYPE_CHECKING:
    from teamops.supervisor.core import Core


FIRST_YEAR = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """All that a report needs beside the ledger."""

    asked: Asked
    at: Frame
    known: Known
    """What lights there were."""
    unstored: tuple[SpentRow, ...] = ()
    """What was used and is in no ledger."""
    roles: frozenset[Role] = frozenset()
    """Of the team and of the protocol: who may write a block."""
    looking: Span | None = None
    """Since when, and until when, this supervisor or the one that acts is at work now."""


async def report_of_days(core: Core, last: date | None, days: int, only: Role | None = None) -> DayReport:
    """Return the report of the ``days`` days that end with ``last``; ``None``: today.

    Raises ``UsageError`` for days that are not there yet, ``LedgerError`` where the ledger can't be read.
    """
    question = question_of(core, last, days, only)
    return await asyncio.to_thread(read_days, core.memory.path, question)


def question_of(core: Core, last: date | None, days: int, only: Role | None = None) -> Question:
    """Return what is asked, as of now. Raises ``UsageError`` as ``report_of_days`` does."""
    book, terms = core.book, terms_of(core)
    wall = book.stamp.wall
    at = days_asked(last, days, wall, terms)
    names = {role: page.settings.name if page.settings is not None else "" for role, page in book.agents.items()}
    if only is not None and only not in names:
        known = ", ".join(names) or "none: name the team in teamops.toml"
        raise UsageError(f"{only} is no role of this team", f"roles: {known}")
    return Question(
        asked=Asked(
            project=book.settings.project,
            timezone=terms.timezone,
            names=names,
            limits=book.settings.limits,
            only=only,
            rules=book.settings.alert_rules,
        ),
        at=at,
        known=core.costing.known(),
        unstored=tuple(core.memory.responses.unstored),
        roles=frozenset({*ROLES, *names}),
        looking=core.watching.looking(book),
    )


def days_asked(last: date | None, days: int, wall: float, terms: Terms) -> Frame:
    """Return the days that are meant. Raises ``UsageError`` for days that are not there yet, or too many."""
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"{days} days can't be reported at once", f"ask for 1 to {MOST_DAYS}")
    present = today(wall, terms.zone)
    wanted = last or present
    if wanted > present:
        raise UsageError(f"{wanted} is not there yet", f"today is {present} ({terms.timezone or 'local time'})")
    if wanted.year < FIRST_YEAR:
        raise UsageError(f"of {wanted} nothing can be on record", "write the day as 2026-03-28")
    return frame(wanted, days, wall, terms.zone)


def read_days(path: Path, question: Question) -> DayReport:
    """Return the report by the ledger at ``path``. Blocks; raises ``LedgerError``."""
    at, facts = question.at, DayFacts()
    blocks: list[Block] = []
    walls: Sequence[float] = ()
    with look_into(path) as look:
        if look is not None:
            with look.sums.still():
                facts = _facts(look, question)
                stored = look.days.blocks(at.since)
                adopted = look.audit.adopted_wall()
            blocks = _blocks(stored, question.roles)
            seen = {one.digest: one.wall for one in reversed(stored) if not one.adopted}
            walls = moments(blocks, seen, at.wall if adopted is None else adopted)
    facts = _with_unstored(facts, question)
    return day_report(question.asked, at, facts, blocks, walls)


def _facts(look: Look, question: Question) -> DayFacts:
    days, at = look.days, question.at
    since, until = at.since, at.until
    (spent,) = look.sums.spans((since, at.edges[-1]))
    spend: dict[Role, Spend] = {}
    for (role, _), part in spent.items():
        spend[role] = spend.get(role, Spend()) + part
    zone, first = at.zone, at.first
    before = [midnight(date.fromordinal(first.toordinal() - back), zone) for back in range(BEFORE, 0, -1)]
    edges = (*before, *at.edges)
    watched = days.watched(since, until)
    if question.looking is not None:
        watched = (*watched, question.looking)
    return DayFacts(
        watched=watched,
        states=days.states(since, until),
        states_since=days.states_since(),
        # A sign just before the span, and one just after it, may prove what is at its edge.
        signs=days.signs(since - QUIET_S - 60, until + QUIET_S + 60),
        restarts=days.restarts(since, until),
        spikes=days.spikes(since, until),
        holds=days.holds(since, until),
        alerts=days.alerts(since, until),
        last_words=days.last_words(),
        done=days.done(since, until),
        calls=days.calls(since, until),
        violations=days.violations(since, until),
        spend=spend,
        cycles={role: days.cycles(role, edges) for role in look.spent.roles()},
        tasks=_task_spend(look, question.known, since, at.edges[-1], sum(spend.values(), Spend())),
    )


def _task_spend(look: Look, known: Known, since: float, until: float, whole: Spend) -> dict[str | None, Spend]:
    """Return what was used under each task's lights within the span, and under none of them."""
    found: dict[str, tuple[str, Spend]] = {}
    for role in known.lights.roles:
        for segment in known.lights.segments(role):
            if segment.held is None or segment.until_wall <= since or segment.since_wall >= until:
                continue
            part = look.spent.sum(role, max(since, segment.since_wall), min(until, segment.until_wall))
            name = segment.held.task or ""
            if part.responses:
                name, before = found.get(name.lower(), (name, Spend()))
                found[name.lower()] = (name, before + part)
    under = sum((spend for _, spend in found.values()), Spend())
    return {**dict(found.values()), None: whole - under}


def _with_unstored(facts: DayFacts, question: Question) -> DayFacts:
    """Return the facts with what no ledger has: a viewer of nobody reads logs for itself."""
    since, until = question.at.since, question.at.edges[-1]
    rows = [row for row in question.unstored if since <= row.usage.wall < until]
    if not rows:
        return facts
    spend, tasks = dict(facts.spend), dict(facts.tasks)
    names = {(name or "").lower(): name for name in tasks if name is not None}
    for row in rows:
        part = spend_of(row.usage.tokens, row.cost_usd)
        spend[row.role] = spend.get(row.role, Spend()) + part
        held = question.known.lights.at(row.role, row.usage.wall)
        name = None if held is None else names.setdefault((held.task or "").lower(), held.task or "")
        tasks[name] = tasks.get(name, Spend()) + part
    return replace(facts, spend=spend, tasks=tasks)


def _blocks(stored: Sequence[StoredBlock], roles: Collection[Role]) -> list[Block]:
    """Return the blocks as the protocol reads them; one whose text is no block any more is left out."""
    team = frozenset(roles)
    found: list[Block] = []
    for one in stored:
        block = _parsed(one.text, team)
        if block is not None:
            # What was handed on is whole, and its task is the one that it had in its file.
            found.append(replace(block, index=len(found), task=one.task, digest=one.digest, complete=True))
    return found


@lru_cache(maxsize=4096)
def _parsed(text: bytes, roles: frozenset[Role]) -> Block | None:
    blocks = parse(text, roles).blocks
    return blocks[0] if blocks else None
