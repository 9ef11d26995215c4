"""What the supervisor remembers: its face to the ledger, and the prices it keeps there.

The one that acts writes; a viewer only reads. A ledger that can't be written is an alert, never a crash: what could
not be stored waits in order and is tried again every round.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from teamops.domain import alerts as alerts_rule
from teamops.domain import log_lines
from teamops.domain.light import Light
from teamops.ledger.budgets import spends
from teamops.ledger.logs import ToldLog
from teamops.ledger.spent import SpentRow
from teamops.ledger.store import Ledger, LedgerError
from teamops.model.actions import Action, Outcome, Restart, Start, Stop
from teamops.model.agent import AgentState
from teamops.model.alert import Alert
from teamops.model.events import ActionFinished, BeatsSeen, UsageSeen
from teamops.model.handoff import Task
from teamops.model.page import Page
from teamops.model.role import NONE, Role
from teamops.model.usage import Usage
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.announced import Announced
from teamops.supervisor.book import MAX_LOG, Book
from teamops.supervisor.minutes import MINUTES, MinuteSum
from teamops.supervisor.prices import Prices
from teamops.supervisor.responses import Responses
from teamops.supervisor.unwritten import Unwritten
from teamops.tmux.ending import is_alive
from teamops.usage.pricing import Pricer

if TYPE_CHECKING:
    from teamops.ledger.report_facts import ReportFacts

T = TypeVar("T")


class Memory:
    """The ledger as the supervisor uses it.

    ``acting``: this supervisor writes history. ``followed``: another one does, so alerts and log come from the ledger.
    """

    def __init__(self, ledger: Ledger, pricer: Pricer, *, acting: bool, followed: bool) -> None:
        self._ledger = ledger
        self.audit = ledger.audit
        self.announced = Announced(self, ledger)
        self.boundaries = ledger.boundaries
        self.budgets = ledger.budgets
        self.checks = ledger.checks
        self.deliveries = ledger.deliveries
        self.keeping = ledger.keeping
        self.launches = ledger.launches
        self.outbox = ledger.outbox
        self.rss = ledger.rss
        self.spent = ledger.spent
        self.spikes = ledger.spikes
        self.watched = ledger.watched
        self.responses = Responses()
        self._pricer = pricer
        self._prices = Prices(pricer)
        self.acting = acting
        self._followed = followed
        self._second_hand = False  # the alerts are those that the acting supervisor has told, not the ledger's
        self._unwritten = Unwritten()
        self._next_offline_id = -1
        self.last_states: dict[Role, str] = {}
        """Of earlier lives, until the first word on the role in this one."""
        self._sessions: set[str] = set()
        """Client sessions whose role is stored."""
        self._unread = False
        """The ledger could not be read since the last round of the clock."""
        self.unchecked: dict[Role, str] = {}
        """Whose spending could not be stored, and so not be checked, and why; taken out by whoever acts on it."""

    @property
    def written(self) -> bool:
        """Nothing waits to be written: the ledger knows all that this supervisor knows."""
        return not self._unwritten

    @property
    def days(self) -> ReportFacts:
        """What a day's report asks of the ledger."""
        return self._ledger.days

    @property
    def path(self) -> Path:
        """Where the ledger is: other threads open it for themselves."""
        return self._ledger.path

    @property
    def in_place(self) -> bool:
        """The ledger's file is still where it was opened: what is stored will be found again."""
        return self._ledger.in_place()

    # at the start

    def load(self, book: Book) -> None:
        """Fill ``book`` with what earlier lives knew."""
        ledger = self._ledger
        book.alerts = self._remembered(book, ledger.alerts())
        book.tmux_was_down = any(alert.open and alert.code == "tmux-down" for alert in book.alerts.values())
        book.log = tuple(ledger.log(MAX_LOG))
        self.last_states = ledger.last_states()
        self._know_the_day(book)
        first, worked = book.stamp.wall - MINUTES * 60, ledger.last_work()
        for role, page in book.agents.items():
            if role in worked:
                page.past.see_work(book.observed(worked[role], book.stamp))
            for row in ledger.minutes(role, first):
                page.minutes[int(row.wall // 60)] = MinuteSum(row.beats, row.tokens, float(row.cost_usd))
            page.remember_rate(book.stamp)
        self._prices.wait_for(ledger.unpriced())
        if self.acting:
            self._pricer.expect(book.stamp.wall)
        self._price_waiting(book)

    def turn_day(self, book: Book) -> None:
        """Know what is spent of a day that begins: nothing, but where the wall clock was set back into an earlier one.

        Only the one that acts asks: a viewer counts for itself what comes, and its ledger may have it already.
        """
        if self.acting:
            self._pricer.expect(book.stamp.wall)
        if self.acting and not self._unwritten:
            self._know_the_day(book)

    def _know_the_day(self, book: Book) -> None:
        for role, spend in (self.ask(book, lambda: self._ledger.cost_since(book.midnight)) or {}).items():
            page = book.agent(role)
            page.cost_today, page.unpriced_today = spend.cost_usd, spend.unpriced_tokens
        for role, count in (self.ask(book, lambda: self._ledger.restarts_since(book.midnight)) or {}).items():
            book.agent(role).restarts = count

    def recover(self, book: Book) -> None:
        """Close the actions that an earlier life left without an outcome.

        One that a living process still carries out (a person's ``teamops restart``) is left to it. A restart that was
        cut off is not repeated here, nor a poke: nobody knows how far it got, and the deliverer waits for its proof.
        """
        if not self.acting:
            return
        for begun in self._ledger.unfinished_actions():
            if begun.pid != os.getpid() and begun.pid and is_alive(begun.pid):
                continue
            cut = Outcome(ok=False, message="cut off: teamops ended before its outcome was known")
            self.store(book, partial(self._ledger.finish_action, begun.id, cut, book.stamp.wall))

    # facts

    def beats(self, book: Book, seen: BeatsSeen) -> None:
        """Price what beats tell of model calls, and store all of it with the place they were read up to."""
        rows: list[tuple[Role, Usage, Decimal | None]] = []
        singly: list[SpentRow] = []
        for beat in seen.known:
            self.responses.see(beat)
        for beat in seen.beats:
            page = book.agent(beat.role)
            priced = [(usage, self._prices.of(beat.role, usage)) for usage in beat.usages]
            for usage, cost in priced:
                rows.append((beat.role, usage, cost))
                page.see_usage(usage, cost, book.midnight, seen.stamp, beaten=True)
            singly += self.responses.rows(beat, priced, counts=not page.has_transcript)
        if self.acting:
            if not self.store(book, lambda: self._ledger.add_beats(seen, rows, singly, book.stamp.wall)):
                self.unchecked |= {beat.role: book.ledger_trouble for beat in seen.beats if spends(beat)}
        elif not self._followed:
            self.responses.unstored += singly

    def usage(self, book: Book, seen: UsageSeen) -> None:
        """Price usage, put it on its agent's page and store it with the place it was read up to."""
        page = book.agent(seen.role)
        rows = []
        for told in seen.usages:
            # A clock that goes ahead, or a forged line, would count as today's on every day to come.
            usage = told if told.wall <= seen.stamp.wall else replace(told, wall=seen.stamp.wall)
            cost = self._prices.of(seen.role, usage)
            rows.append((usage, cost))
            page.see_usage(usage, cost, book.midnight, seen.stamp)
        if self.acting:
            log = ToldLog(seen.client, seen.stamp.wall, seen.rewritten)
            wall = book.stamp.wall
            if not self.store(book, lambda: self._ledger.add_usage(seen.role, rows, seen.position, wall, log)):
                self.unchecked |= {seen.role: book.ledger_trouble} if rows else {}
            self._know(book, seen.role, {usage.session for usage, _ in rows}, seen.stamp.wall)
        elif not self._followed:
            self.responses.keep((seen.role, usage, cost) for usage, cost in rows)

    def sessions(self, book: Book, wall: float) -> None:
        """Store which client sessions run for whom, as soon as it is known: later their logs tell what they used."""
        for role, page in book.agents.items():
            self._know(book, role, {page.client_session}, wall)

    def _know(self, book: Book, role: Role, sessions: set[str], wall: float) -> None:
        new = sessions - self._sessions - {""}
        if new and self.acting:
            self._sessions |= new
            self.store(book, lambda: self._ledger.sessions.add(role, new, wall))

    def price(self, usage: Usage) -> Decimal:
        """Return what a response has cost, as far as its price is known."""
        return self._pricer.price(usage) or Decimal(0)

    def light_seen(self, book: Book, light: Light, wall: float) -> float:
        """Return when this light was first seen: an earlier life may know better than ``wall``."""
        known = self.ask(book, lambda: self._ledger.light_known(light.task, light.digest, light.role))
        if known is not None or not self.acting:
            return wall if known is None else known
        self.store(book, lambda: self._ledger.light_seen(light.task, light.digest, light.role, wall))
        book.note(log_lines.turn_line(wall, light.role, light.task))
        return wall

    def task_closed(self, book: Book, task: Task) -> None:
        """Store and log that a task was closed."""
        if not self.acting:
            return
        digest, wall = task.since_digest, book.stamp.wall
        if self.ask(book, lambda: (self._ledger.light_known(task.task, digest, NONE),)) == (None,):
            self.store(book, lambda: self._ledger.light_seen(task.task, digest, NONE, wall))
            book.note(log_lines.turn_line(wall, NONE, task.task))

    def is_news(self, page: AgentBook) -> bool:
        """Return whether an agent's state, at the first look of this life, may be other than it was seen in last."""
        unknown = AgentState.UNKNOWN
        return page.state is not unknown or self.last_states.get(page.role, unknown) != unknown

    def state_changed(self, book: Book, page: AgentBook) -> None:
        """Store and log that an agent's state is new. A follower's log is that of the one who acts.

        What an earlier life saw it in last is no news: who opens the screen often reads it once.
        """
        if self._followed or self.last_states.pop(page.role, None) == page.state:
            return
        wall, detail = book.stamp.wall, f"{page.evidence.kind}: {page.evidence.detail}"
        book.note(log_lines.state_line(wall, page.role, page.state, detail))
        if self.acting:
            role, state = page.role, page.state
            self.store(book, lambda: self._ledger.state_edge(role, state, detail, wall))

    # alerts

    def follow(self, book: Book) -> bool:
        """Take alerts and log from the supervisor that acts, if this one only follows; return whether it does."""
        if not self._followed:
            return False
        told = None if (own := book.supervisor.unrecorded) is None else own.alerts
        if self.ask(book, self._ledger.changed) or self._second_hand:
            alerts = self.ask(book, self._ledger.alerts)
            book.alerts = book.alerts if alerts is None else self._remembered(book, alerts)
            self._read_log(book)
        self._second_hand = told is not None
        if told is not None:  # what the ledger holds was so when it could be written last
            book.alerts = {key: one for key, one in book.alerts.items() if not one.open} | self._remembered(book, told)
        return True

    def hear_viewers(self, book: Book) -> bool:
        """Take what viewers wrote at their person's keys: acknowledged and silenced alerts, restarts, the log of it.

        Returns whether somebody wrote anything.
        """
        if self._followed or not self.acting or not self.ask(book, self._ledger.changed):
            return False
        for alert in self.ask(book, self._ledger.alerts) or ():
            mine = book.alerts.get(alert.key)
            if mine is not None:
                book.alerts[alert.key] = alerts_rule.heard(mine, alert, book.stamp.wall)
        restarts = self.ask(book, lambda: self._ledger.restarts_since(book.midnight)) or {}
        for role, count in restarts.items():
            book.agent(role).restarts = count
        self._read_log(book)
        return True

    @staticmethod
    def _remembered(book: Book, alerts: Sequence[Alert]) -> dict[tuple[str, str], Alert]:
        now, wall = book.stamp.now, book.stamp.wall
        return {alert.key: alerts_rule.remember(alert, now, wall) for alert in alerts}

    def _read_log(self, book: Book) -> None:
        """Read the log anew; what only this life knows (its sources' words) keeps its place."""
        own = [line for line in book.log if line.kind == "source"]
        told = self.ask(book, lambda: self._ledger.log(MAX_LOG))
        if told is not None:
            book.log = tuple(sorted([*own, *told], key=lambda line: -line.wall)[:MAX_LOG])

    def alerts_changed(self, book: Book, alerts: Sequence[Alert], pages: Sequence[tuple[Page, int]] = ()) -> None:
        """Store alerts of which something is new, and the pages that tell of them."""
        if alerts and self.acting:
            kept, told = tuple(alerts), tuple(pages)
            self.store(book, lambda: self._ledger.save_alerts(kept, told))

    def answer_alert(self, book: Book, known: Alert, answered: Alert) -> str:
        """Store what the person said to an alert; return why that can't be, empty = it is done."""
        if not self._followed:
            self.alerts_changed(book, (answered,))
            return ""
        try:
            return "" if self._ledger.answer_alert(known, answered) else "that alert is over"
        except LedgerError as error:
            return str(error)

    # the protocol

    def protocol_mark(self, book: Book) -> tuple[int, ...] | None:
        """Return what tells that others wrote something that judges blocks; ``None`` where the ledger can't be read."""
        return self.ask(book, self._ledger.protocol_mark)

    # actions

    def action_begun(self, book: Book, action: Action) -> int:
        """Store that an action begins, before it does; return its row.

        Where the ledger can't be written the action gets a negative number and is still done: a person who restarts an
        agent on a full disk needs it done, and the alert says that nothing is remembered.
        """
        if not self._unwritten:
            try:
                return self._ledger.begin_action(action, book.stamp.wall)
            except LedgerError as error:
                book.ledger_trouble = str(error)
        self._next_offline_id -= 1
        return self._next_offline_id

    def busy_elsewhere(self, book: Book) -> bool:
        """Return whether another living process starts, stops or restarts an agent now: a person's shell.

        True also where that can't be known.
        """
        begun = self.ask(book, self._ledger.unfinished_actions)
        return begun is None or any(
            isinstance(one.action, Restart | Start | Stop) and one.pid not in {0, os.getpid()} and is_alive(one.pid)
            for one in begun
        )

    def unfinished(self) -> list[Action]:
        """Return the actions of all processes that have no outcome yet. Raises ``LedgerError``."""
        return [begun.action for begun in self._ledger.unfinished_actions()]

    def action_finished(self, book: Book, event: ActionFinished) -> None:
        """Store how an action ended."""
        if event.action_id >= 0:
            self.store(book, lambda: self._ledger.finish_action(event.action_id, event.outcome, event.stamp.wall))

    # each round

    def tick(self, book: Book) -> None:
        """Try again what could not be written."""
        if not self._unwritten.try_again(book):
            return
        if not self._unread:
            book.notes.pop("ledger", None)
        self._unread = False

    @property
    def wants_rates(self) -> bool:
        """Some model's price was not looked up yet."""
        return bool(self._pricer.missing())

    async def fetch_rates(self, book: Book) -> None:
        """Look up missing prices in a process of their own, then price what waited for them."""
        trouble = await self._pricer.fetch_missing()
        if trouble:
            book.troubles["prices"] = (trouble, "costs are shown without these models")
        else:
            book.troubles.pop("prices", None)
        self.store(book, lambda: self._ledger.save_rates(self._pricer.known()))
        self._price_waiting(book)

    def _price_waiting(self, book: Book) -> None:
        """Price what waited for its price, as far as prices are known now."""
        priced = self._prices.answered()
        for role, usage, cost in priced:
            book.agent(role).see_price(usage, cost, book.midnight, book.stamp.wall)
        if priced and self.acting:
            self.store(book, lambda: self._ledger.reprice(priced, book.stamp.wall))
        elif priced:
            self.responses.reprice(self._pricer.price)

    def ask(self, book: Book, read: Callable[[], T]) -> T | None:
        """Return what the ledger tells; ``None`` where it can't be read now, which is said."""
        try:
            return read()
        except LedgerError as error:
            self._unread = True
            book.notes["ledger"] = str(error)
            return None

    def store(self, book: Book, write: Callable[[], object]) -> bool:
        """Write now, or in order as soon as that works again, an alert until then; return whether it is written."""
        return self._unwritten.store(book, write)
