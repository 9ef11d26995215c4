"""Pokes with proof: each is followed until its agent works, or somebody is told that it does not.

The announcer decides that a light is told, and types its first line; from then on the lines of that light are in these
hands. Every step is stored before anything follows from it: a life that finds a line typed by an earlier one waits for
its proof, and types it again only when none comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.domain import delivery as step
from teamops.domain import log_lines, telling
from teamops.domain.delivery import Sign, Way
from teamops.domain.health import worked_at
from teamops.domain.hooks import Told
from teamops.model.actions import Action, By, Outcome, Poke
from teamops.model.agent import AgentState, ClientStatus
from teamops.model.agent_report import Delivery
from teamops.model.alert import Finding
from teamops.model.events import ActionFinished, Event, PromptSeen, Ticked
from teamops.model.role import Role
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.book import Book
from teamops.supervisor.proofs import signs_of
from teamops.supervisor.telling_on import TellingOn
from teamops.tmux.deliver import typed_line

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

LIGHT = "light "
"""How the reason of a poke that announces a light begins."""
MOVED_ON = "the cursor moved on"


class Deliverer:
    """Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._ways: dict[int, Way] = {}
        """By action: those on their way, and all about a light that was asked for."""
        self._about: dict[tuple[str, Role], list[int]] = {}
        """The lines typed by rule about a light, oldest first, as far as they were asked for."""
        self._unexpected: list[Way] = []
        """Lines of other processes whose proof the sources don't look for yet."""
        self.on_stage: Callable[[Delivery], None] = lambda _: None
        """Called with a delivery whenever it has come further."""
        self._moved = asyncio.Event()
        """A delivery has come further."""
        self._telling = TellingOn(core, self)

    # what is remembered

    def load(self, book: Book) -> None:
        """Read back what earlier lives stored."""
        if self._core.memory.acting:
            self._adopt(book)

    def _adopt(self, book: Book) -> None:
        """Follow what other processes typed: an earlier life, a person's shell."""
        memory = self._core.memory
        for row in memory.ask(book, memory.deliveries.open_ones) or []:
            if row.role in book.agents:
                if row.action_id not in self._ways:
                    self._unexpected.append(self._know(book, row))
                else:
                    self._know(book, row)

    def _know(self, book: Book, row: Delivery) -> Way:
        """Take a delivery as the ledger has it; how long its proof is waited for counts from now."""
        known, now = self._ways.get(row.action_id), book.stamp.now
        accepted = None if row.accepted_wall is None else book.observed(row.accepted_wall, book.stamp)
        if known is None:
            line = typed_line(book.agent(row.role).client, row.text)
            begun = min(now, book.observed(row.decided_wall, book.stamp))
            busy = _was_busy(book.agent(row.role), begun)
            way = Way(delivery=row, line=line, begun=begun, since=now, busy=busy, accepted=accepted)
        else:
            way = step.joined(known, row, accepted)
        self._ways[row.action_id] = way
        return way

    def lines(self, book: Book, light: str, role: Role) -> list[Way] | None:
        """Return the lines about one light, oldest first; ``None`` where the ledger can't be read."""
        known = self._about.get((light, role))
        if known is None:
            memory = self._core.memory
            rows = memory.ask(book, partial(memory.deliveries.about, light, role))
            if rows is None:
                return None
            for row in rows:
                self._know(book, row)
            known = self._about[light, role] = [row.action_id for row in rows]
        return [self._ways[action] for action in known]

    def of(self, role: Role) -> list[Way]:
        """Return what is known of the lines to one agent, oldest first."""
        ways = [way for way in self._ways.values() if way.delivery.role == role]
        return sorted(ways, key=lambda way: (way.delivery.decided_wall, abs(way.delivery.action_id)))

    def free(self, role: Role) -> bool:
        """Return whether no line by rule to that agent still waits for its proof, and no fresh one of a person's."""
        now, limits = self._core.book.stamp.now, self._core.book.settings.limits
        return not any(
            way.pending and (way.delivery.by is By.RULE or now - way.begun < limits.accept_s) for way in self.of(role)
        )

    async def proof(self, role: Role, outcome: Outcome, within_s: float) -> Outcome:
        """Return how a person's poke fares that was typed as ``outcome`` says: taken, or not so far."""
        deadline = asyncio.get_running_loop().time() + within_s
        action = max((way.delivery.action_id for way in self.of(role) if way.delivery.by is By.PERSON), default=None)
        while action is not None and outcome.ok:
            way = self._ways.get(action)
            if way is None:
                break
            if way.proven:
                said = log_lines.taken_words(way.delivery)
                return replace(outcome, message=f"typed, and {said}")
            self._moved.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._moved.wait()
            except TimeoutError:
                return replace(outcome, message=f"{outcome.message}; not known to be taken so far")
        return outcome

    def patience_s(self, role: Role) -> float:
        """Return for how long the proof of a line to that agent is waited for, observed seconds."""
        page = self._core.book.agent(role)
        return step.patience_s(page.client, page.interval_s, self._core.book.settings.limits)

    # events

    def begun(self, book: Book, action_id: int, action: Action) -> None:
        """An action was recorded and begins now."""
        if not isinstance(action, Poke):
            return
        page, role = book.agent(action.role), action.role
        light = action.reason if action.by is By.RULE and action.reason.startswith(LIGHT) else ""
        lines = (self.lines(book, light, role) or []) if light else []
        for way in self.of(role):
            if action.by is By.RULE and way.delivery.by is By.RULE:
                self._keep(book, step.ended(way))
        row = Delivery(
            action_id=action_id,
            role=role,
            text=action.text,
            by=action.by,
            light=light,
            attempt=telling.lines_typed(lines) + 1 if light else 0,
            decided_wall=book.stamp.wall,
        )
        way = Way(
            delivery=row,
            line=typed_line(page.client, action.text),
            begun=book.stamp.now,
            since=book.stamp.now,
            busy=page.health is AgentState.WORKING,
            pid=page.pane.pid if page.pane is not None else None,
        )
        if light:
            self._about.setdefault((light, role), [line.delivery.action_id for line in lines]).append(action_id)
        self._ways[action_id] = way
        self._store(book, row)
        self._core.expect(role, way.line)

    def see(self, book: Book, event: Event) -> None:
        """Take an event, after the book took it; viewers do so too."""
        match event:
            case ActionFinished(action=Poke()):
                self._finished(book, event)
            case Ticked():
                self._tick(book, event)
            case PromptSeen():
                self._sign(book, event.role, Sign(event.stamp.now, event.evidence, event.text))
            case _ if self._ways:
                for role, sign in signs_of(book, event):
                    self._sign(book, role, sign)

    def _finished(self, book: Book, event: ActionFinished) -> None:
        way, outcome = self._ways.get(event.action_id), event.outcome
        if way is None:
            return
        if not outcome.ok:
            self._keep(book, step.refused(way, outcome.message, event.stamp, touched=outcome.touched))
            return
        way = step.typed(way, event.stamp)
        if book.agent(way.delivery.role).client == "command" and outcome.evidence.endswith(MOVED_ON):
            way = step.accepted(way, Sign(event.stamp.now, "output", sure=True), event.stamp)
        self._keep(book, way)

    def _sign(self, book: Book, role: Role, sign: Sign) -> None:
        for way in self.of(role):
            if step.proven_by(way, sign):
                self._keep(book, step.accepted(way, sign, book.stamp))
                if sign.text is not None:
                    return  # it names one line: the oldest that was not proven

    def _tick(self, book: Book, event: Ticked) -> None:
        memory = self._core.memory
        if memory.acting and memory.ask(book, memory.deliveries.changed):
            self._about.clear()
            self._adopt(book)
        for way in self._unexpected:
            if way.pending:
                self._core.expect(way.delivery.role, way.line)
        self._unexpected.clear()
        if event.gap_s:
            return
        for way in tuple(self._ways.values()):
            page = book.agent(way.delivery.role)
            if not way.delivery.over:
                self._keep(book, self._later(book, page, way))
        self._forget(book)

    def _later(self, book: Book, page: AgentBook, way: Way) -> Way:
        """Return a delivery as it stands a round of the clock later."""
        now, stamp = book.stamp.now, book.stamp
        worked = self._worked(book, page)
        if way.pid is None and not way.busy and way.pending and worked is not None and worked > way.begun:
            # Another process typed it, and what came before this one knew of it is known by its trace alone.
            way = step.accepted(way, Sign(worked, "work since"), stamp)
        way = step.working(way, worked, stamp)
        if way.pid is not None and page.looked_dead(way.pid):
            return step.ended(way)
        return step.waited(way, now, self.patience_s(page.role), busy=page.health is AgentState.WORKING)

    @staticmethod
    def _worked(book: Book, page: AgentBook) -> float | None:
        return worked_at(page.facts(managed=True, light_since=None), book.stamp.now)

    def _forget(self, book: Book) -> None:
        """Let go of deliveries that are over and about no light that stands."""
        standing = self._telling.reasons(book)
        for light, role in self._about.keys() - standing:
            del self._about[light, role]
        kept = {action for actions in self._about.values() for action in actions}
        for action, way in tuple(self._ways.items()):
            if way.delivery.over and action not in kept:
                del self._ways[action]

    def _keep(self, book: Book, way: Way) -> None:
        """Take a delivery as it is now; where it has come further, store it and say so."""
        before = self._ways.get(way.delivery.action_id)
        self._ways[way.delivery.action_id] = way
        if before is not None and before.delivery == way.delivery:
            return
        self._store(book, way.delivery)
        line = log_lines.delivery_line(way.delivery)
        if line is not None and (before is None or log_lines.delivery_line(before.delivery) != line):
            book.note(line)

    def _store(self, book: Book, row: Delivery) -> None:
        if row.action_id >= 0:
            self._core.memory.store(book, lambda: self._core.memory.deliveries.save(row))
        self.on_stage(row)
        self._moved.set()

    # deciding

    def tell_again(self, book: Book, role: Role, began: float) -> None:
        """Tell an agent whose process ``began`` anew of the lights it holds, as soon as it can take a line."""
        for way in self.of(role):
            self._keep(book, step.ended(way))
        self._telling.again(book, role, began)

    def go_on(self, book: Book, *, counts: bool) -> None:
        """Decide and act: only of the one that acts, once all is known. ``counts``: a round of the clock."""
        if counts:
            self._telling.go_on(book)

    def findings(self, book: Book) -> list[Finding]:
        """Return what a person has to know now."""
        return self._telling.findings(book) if book.supervisor.acting else []


def _was_busy(page: AgentBook, begun: float) -> bool:
    """Return whether an agent that is busy now was so before ``begun``, as far as is known."""
    if page.health is not AgentState.WORKING:
        return False
    said = page.status_at if page.status is ClientStatus.BUSY else page.told_at if page.told is Told.TAKEN else None
    return said is None or said < begun
