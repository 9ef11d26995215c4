"""Calls the person: decides with the rules' alerts who must be told of what, and brings each page to its end.

A page is stored in the transaction that stores the alerts it tells of, and each attempt before it is made; so a killed
teamops loses none, and what was delivered is never sent again. Where the kill falls between a delivery and its record,
nobody can know: the next life delivers that page once more, with the same id (a channel that knows ids shows it once)
and with a word of that. What a life left is judged again before it goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from teamops.domain import days, log_lines, paging, sending, worth
from teamops.domain.paging import Decided, Lately, Moment
from teamops.domain.sending import Sending
from teamops.domain.worth import Judged, Worth
from teamops.effects.channels.port import Channel
from teamops.effects.channels.trying import all_started, attempted
from teamops.ledger.connection import LedgerError
from teamops.model.actions import Outcome
from teamops.model.alert import Finding
from teamops.model.clock import Stamp
from teamops.model.page import Answer, Button, Page, Receipt
from teamops.model.role import Role
from teamops.model.snapshot import AckAlert, Intent, LogLine, PokeRole, RestartRole, SilenceAlert
from teamops.supervisor.book import Book
from teamops.supervisor.pokes import poke_text

if TYPE_CHECKING:
    from teamops.supervisor.core import Core
    from teamops.supervisor.withdrawing import Withdrawing

TOGETHER = "nobody could be reached for a while: what still holds is told together"
SILENCES: dict[Button, float | None] = {Button.SILENCE_15M: 900.0, Button.SILENCE_1H: 3600.0, Button.SILENCE: None}


class Paging:
    """The part of a supervisor that calls the person. Only the one that acts does. Belongs to its loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._settings = core.book.settings
        self._order = self._settings.notify.order
        self._channels: dict[str, Channel] = {}
        self._lately = Lately()
        self._waiting: dict[str, Sending] = {}
        """By the page's id."""
        self._left: list[Sending] = []
        """What earlier lives left: it goes on when this one has looked at the world, and knows what still holds."""
        self._busy: dict[str, str] = {}
        """Channel → the page that it delivers now."""
        self._due = asyncio.Event()
        self._failed: dict[str, Receipt] = {}
        """Channels that have let the last page down, and how."""
        self._reasons: dict[str, str] = {}
        """Why a channel can't deliver, by its own word or its last try; without those that can."""
        self._nobody = False
        """The last page that went through all channels found none that is there at all."""
        self._withdrawing: Withdrawing | None = None
        """Since pages are delivered."""

    # what is decided, in the supervisor's rounds

    def load(self, book: Book) -> None:
        """Go on with what earlier lives did not bring to its end."""
        if not book.supervisor.acting or not self._order:
            return
        memory, stamp = self._core.memory, book.stamp
        span = self._settings.paging.cap_window_s  # more than that ahead of us is a clock that was set back
        pages, firsts = (
            tuple(min(stamp.now, stamp.now - stamp.wall + wall) for wall in walls or ())
            for walls in (
                memory.ask(book, partial(memory.outbox.decided, stamp.wall - span, stamp.wall + span, firsts=first))
                for first in (False, True)
            )
        )
        self._lately = Lately(pages, firsts=firsts)
        now = self._core.time()
        waiting = memory.ask(book, memory.outbox.waiting) or []
        self._left = [
            sending.resume(left.page, self._order, left.first, left.course, now, stamp.wall) for left in waiting
        ]
        tried_on = {left.course.channel for left in waiting if left.course.tries}
        memory.store(book, partial(memory.outbox.close_cut_off, stamp.wall))
        for last in memory.ask(book, memory.outbox.last_tries) or ():
            given_up = last.channel in self._order and last.channel not in tried_on
            if not last.receipt.ok and given_up and self._counts(last.receipt):
                self._failed[last.channel] = last.receipt

    def decide(self, book: Book) -> Decided:
        """Return what is to be told now, with the alerts as they are then. Nothing of it is done before ``take``."""
        if self._left:
            self._waiting |= {one.page.id: one for one in self._left}
            self._left = []
            self._due.set()
        decided = paging.decide(
            book.alerts.values(),
            self._lately,
            self._moment(book.stamp),
            self._settings.paging,
            project=self._settings.project,
            channels=len(self._order),
            rules=self._settings.alert_rules,
        )
        self._lately = decided.lately
        return decided

    def take(self, pages: Iterable[tuple[Page, int]]) -> None:
        """Bring pages on their way; they are stored."""
        now = self._core.time()
        for page, first in pages:
            self._waiting[page.id] = sending.begin(page, self._order, first, now)
        self._due.set()
        if self._withdrawing is not None:
            self._withdrawing.look()

    def tell(self, book: Book, page: Page) -> None:
        """Tell what no alert asks for; once, also over lives: the same id is never told again."""
        memory = self._core.memory
        known = memory.ask(book, lambda: memory.outbox.page(page.id) is not None)
        if self._order and known is False and memory.store(book, partial(memory.outbox.put, page)):
            self.take([(page, 0)])

    def _moment(self, stamp: Stamp) -> Moment:
        local = days.local(stamp.wall, self._settings.budgets.zone)
        return Moment(stamp.now, stamp.wall, local.hour * 60 + local.minute)

    def findings(self, book: Book) -> list[Finding]:  # noqa: ARG002 - as the other parts of a supervisor
        """Return what a person has to know of the ways to them."""
        found = [
            Finding(
                code="notify-failed",
                subject=name,
                message=f"pages don't reach you by {name}: {receipt.message}",
                do=receipt.hint or "mend it, then try it: teamops notify test",
            )
            for name, receipt in self._failed.items()
        ]
        if self._nobody:
            found.append(
                Finding(
                    code="notify-failed",
                    subject="every channel",
                    message=f"nobody can be told away from the screen: {'; '.join(self._reasons.values())}",
                    do="run teamops in a terminal or with a desktop, or name another way in notify.channels",
                    notify=False,
                )
            )
        return found

    def hear_tries(self, book: Book) -> None:
        """Take what a person's ``teamops notify test`` has shown of the channels: what waited for one goes out."""
        memory = self._core.memory
        for last in memory.ask(book, memory.outbox.last_tries) or ():
            if last.receipt.ok and (last.channel in self._reasons or last.channel in self._failed):
                self._well(last.channel)
                self._fold_left_behind()
                self._due.set()

    @property
    def note(self) -> str:
        """What is worth a line on the screen: which ways don't work, and which one does; empty = the first works."""
        why: list[str] = []
        for name in self._order:
            if name not in self._reasons:
                return f"{'; '.join(why)}: pages go by {name}" if why else ""
            why.append(self._reasons[name])
        return f"{'; '.join(why)}: pages reach nobody" if why else ""

    # what is done, beside them

    async def run(self, channels: Sequence[Channel]) -> None:
        """Deliver pages until cancelled. ``channels``: those of the settings; they are closed by whoever made them."""
        from teamops.supervisor.withdrawing import Withdrawing  # only now: the first frame does without

        self._withdrawing = self._withdrawing or Withdrawing(self._core)
        self._channels = {channel.name: channel for channel in channels}
        self._reasons |= await all_started(channels, self._hear)
        while True:
            self._due.clear()
            now = self._core.time()
            for one in sorted(self._waiting.values(), key=lambda one: (not one.page.critical, one.page.wall)):
                if one.due <= now and one.channel not in self._busy and one.page.id not in self._busy.values():
                    # Put off first: one that can't even be begun, by a defect, keeps no other waiting for ever.
                    self._waiting[one.page.id] = replace(one, due=now + sending.LAP_S[-1])
                    self._begin(one)
            later = [one.due - now for one in self._waiting.values() if one.due > now]
            pause = min(later, default=None)  # what is due and waits for its channel is woken when that is free
            try:
                async with asyncio.timeout(pause):
                    await self._due.wait()
            except TimeoutError:
                continue

    def _begin(self, one: Sending) -> None:
        judged = worth.judge(one, self._core.book.alerts, self._moment(self._core.stamp()), self._settings.paging)
        if judged.worth is Worth.WAIT:
            self._waiting[one.page.id] = replace(one, due=self._core.time() + judged.wait_s)
        elif judged.worth is Worth.SEND:
            self._busy[one.channel] = one.page.id
            self._core.spawn(self._deliver(one), f"page by {one.channel}")
        else:
            self._give_up(one, judged)

    def _give_up(self, one: Sending, judged: Judged) -> None:
        """Send a page no more: nobody is needed, or what it tells of is decided anew."""
        book, page, wall = self._core.book, one.page, self._core.stamp().wall
        del self._waiting[page.id]
        self._lately = paging.unsent(self._lately, page, self._moment(self._core.stamp()))
        untold = worth.taken_back(book.alerts.values(), page) if judged.worth is Worth.ANEW else ()
        book.alerts |= {alert.key: alert for alert in untold}
        outbox = self._core.memory.outbox
        self._core.memory.store(book, partial(outbox.drop, page, judged.why, wall, untold))
        book.note(log_lines.unsent_line(wall, page.title, judged.why, page.role))
        self._core.wake()

    async def _deliver(self, one: Sending) -> None:
        name = one.channel
        try:
            attempt = self._attempt_begun(one.page, name)
            channel = self._channels.get(name)
            if channel is None:
                receipt = Receipt(ok=False, message="there is no such channel", hint="see notify.channels")
            else:
                receipt = await attempted(channel, one.given)
            self._ended(one, attempt, receipt)
        except Exception:
            # A defect, which is told as this task's end. It may be there by now: not again at once, and without end.
            self._waiting[one.page.id] = replace(one, due=self._core.time() + sending.LAP_S[-1])
            raise
        finally:
            self._busy.pop(name, None)
            self._due.set()

    def _attempt_begun(self, page: Page, channel: str) -> int:
        """Store that a page is about to be delivered; return the attempt's row, 0 where that can't be stored.

        A page of a ledger that can't be written must go out all the same: it is what tells of that.
        """
        memory, book = self._core.memory, self._core.book
        if memory.written:
            try:
                return memory.outbox.begin(page, channel, book.stamp.wall)
            except LedgerError as error:
                book.ledger_trouble = str(error)
        return 0

    def _ended(self, one: Sending, attempt: int, receipt: Receipt) -> None:
        core, page, name, now = self._core, one.page, one.channel, self._core.time()
        wall = core.stamp().wall
        after = one if receipt.ok else sending.failed(one, receipt, now, known_bad=name in self._failed)
        at, place = self._moment(core.stamp()), self._order.index(name)
        heard = receipt.ok or any(ok for _, ok in receipt.parts)
        told = paging.taken(core.book.alerts.values(), page, place, at, whole=receipt.ok) if heard else ()
        core.book.alerts |= {alert.key: alert for alert in told}
        course = sending.course(after, now, wall)
        end = partial(core.memory.outbox.end, page, attempt, receipt, wall, course, told, name)
        core.memory.store(core.book, end)
        if not receipt.absent:
            core.book.note(log_lines.page_line(wall, page.title, name, receipt.message, page.role, ok=receipt.ok))
        if receipt.ok:
            del self._waiting[page.id]
            if self._withdrawing is not None:
                self._withdrawing.delivered(page, self._channels.get(name))
            self._well(name)
            self._fold_left_behind()
        else:
            self._waiting[page.id] = after
            self._reasons[name] = receipt.message
            if sending.gave_up(one, after) and self._counts(receipt):
                self._failed[name] = receipt
            if after.laps > one.laps and not self._failed:
                self._nobody = True
        core.wake()

    def _fold_left_behind(self) -> None:
        """Let what no channel has taken so far come as one page, now that one takes pages again."""
        free = [one for one in self._waiting.values() if one.laps and one.page.id not in self._busy.values()]
        behind = [one for one in free if one.page.keys and not one.heard]
        if len(behind) > 1:
            for one in behind:
                self._give_up(one, Judged(Worth.ANEW, TOGETHER))
            self._lately = replace(self._lately, quiet=True)
        else:
            self._waiting |= {one.page.id: replace(one, due=self._core.time()) for one in behind}

    def _counts(self, receipt: Receipt) -> bool:
        """Return whether a try in vain is a failure: that a default is not there is none."""
        return not receipt.absent or bool(self._settings.notify.channels)

    def _well(self, name: str) -> None:
        self._failed.pop(name, None)
        self._reasons.pop(name, None)
        self._nobody = False

    # what comes back

    def _hear(self, answer: Answer) -> None:
        """Do what the person answered to a page."""
        book = self._core.book
        book.note(LogLine(book.stamp.wall, "page", f"you answered by {answer.channel}: {answer.button}"))
        for key in answer.keys:
            for intent in self._meant(answer.button, *key):
                self._core.wish(intent).add_done_callback(partial(self._say, answer))
        self._core.wake()

    def _meant(self, button: Button, code: str, subject: str) -> list[Intent]:
        alert = self._core.book.alerts.get((code, subject))
        if button in SILENCES:
            return [SilenceAlert(code, subject, SILENCES[button])]
        found: list[Intent] = [AckAlert(code, subject)]
        if alert is None or alert.agent is None or not alert.open:
            return found
        if button is Button.RESTART:
            found.append(RestartRole(alert.agent))
        elif button is Button.POKE:
            if why := self._no_poke(alert.agent):
                self._core.book.note(LogLine(self._core.book.stamp.wall, "page", why, alert.agent, ok=False))
                return []  # nothing was done about it: it goes on calling
            found.append(PokeRole(alert.agent, poke_text(self._core.snapshot(), alert.agent)))
        return found

    def _no_poke(self, role: Role) -> str:
        """Return why a button does not poke ``role``: for what the screen's key refuses it, too."""
        from teamops.domain.no_poke import why_no_poke

        agent = next((agent for agent in self._core.snapshot().agents if agent.role == role), None)
        why = "" if agent is None else why_no_poke(agent)
        return why and f"your poke was not done: {why}"

    def _say(self, answer: Answer, ended: asyncio.Future[Outcome]) -> None:
        if ended.cancelled() or ended.result().ok:
            return
        text = f"your {answer.button} by {answer.channel} was not done: {ended.result().message}"
        self._core.book.note(LogLine(self._core.book.stamp.wall, "page", text, ok=False))
