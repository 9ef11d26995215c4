"""Budgets that stop: holds that the ledger's checks made, and the steps by which an agent's spending ends.

Whether a budget is spent is decided in the transaction that stored the spending (``ledger.budgets``); here it is read
back and acted on. What could not be stored, and so not be checked, is held from here. Every step is an action, and its
end is stored before the next is judged: the next life of teamops goes on where this one was killed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.domain import budget_alerts, hard_stop
from teamops.domain.hard_stop import Facts
from teamops.domain.limits import SpikeStop
from teamops.guard import holds
from teamops.model.actions import By, Outcome, Stop, StopSpending
from teamops.model.agent import ClientStatus
from teamops.model.alert import Finding
from teamops.model.budget import TEAM, BudgetHold, BudgetLine, Cause, Step, StepDone
from teamops.model.events import BeatsSeen, Event, Ticked, UsageSeen
from teamops.model.role import Role, role_of
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.book import Book

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

GRACE_S = 10.0
"""An agent that spends and may not is killed after so long at most, whatever grace others have."""
LOOK_S = 10.0
"""The sums of the last hour are looked at so often although nobody spends."""
SETTLED_S = 1.5
"""A stop is over when for so long no step was due."""

Key = tuple[str, float]


class Budgeting:
    """Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.folder: Path | None = None
        """The project's in the person's state directory, where the files of holds stand."""
        self._rules = core.memory.budgets.rules = core.book.settings.budgets
        self._holds: dict[Key, BudgetHold] = {}
        self._unstored: set[Key] = set()
        """Holds that the ledger doesn't have yet."""
        self._steps: dict[Key, dict[str, dict[Step, StepDone]]] = {}
        self._lines: tuple[BudgetLine, ...] = ()
        self._running: set[Role] = set()
        """Agents whose steps are being gone through."""
        self._looked = float("-inf")
        self._spent = False
        """Somebody has spent since the sums were looked at."""
        self._reconciled = False

    # what is remembered

    def load(self, book: Book) -> None:
        """Read back what earlier lives stored, and check budgets whose limits may be new."""
        memory = self._core.memory
        memory.ask(book, memory.budgets.changed)
        if memory.acting and self._rules.limits:
            memory.store(book, lambda: memory.budgets.check_now(book.stamp.wall))
        self._read(book)

    def _read(self, book: Book) -> None:
        """Take what the ledger has; what it doesn't have yet stands beside it."""
        memory, budgets = self._core.memory, self._core.memory.budgets
        budgets.fresh = False
        stored = memory.ask(book, budgets.open_holds)
        if stored is not None:
            if memory.written:
                self._unstored.clear()
            mine = {key: self._holds[key] for key in self._unstored}
            self._holds = {**{hold.key: hold for hold in stored}, **mine}
            for hold in stored:
                if hold.key not in self._steps or not memory.acting:
                    self._steps[hold.key] = memory.ask(book, partial(budgets.steps, hold)) or {}
            for key in self._steps.keys() - self._holds.keys():
                del self._steps[key]
        self._look(book)
        self._apply(book)

    def _look(self, book: Book) -> None:
        self._looked, self._spent = book.stamp.now, False
        if self._rules.limits:
            lines = self._core.memory.ask(book, partial(self._core.memory.budgets.lines, book.stamp.wall))
            self._lines = self._lines if lines is None else lines

    def _apply(self, book: Book) -> None:
        """Let each agent's page know what holds it, and let go whom nothing holds any more."""
        by_scope = {hold.scope: hold for hold in self._holds.values()}
        for page in book.agents.values():
            before, page.hold = page.hold, by_scope.get(page.role) or by_scope.get(TEAM)
            if before is not None and page.hold is None and book.supervisor.acting:
                self._open(book, page.role)

    def _open(self, book: Book, role: Role) -> None:
        """Let an agent spend again."""
        if self.folder is None:
            return
        try:
            holds.let_go(str(self.folder), role)
        except OSError as error:
            book.troubles["budgets"] = (
                f"{role} is still held: {error.strerror or error}",
                f"remove {holds.path_of(str(self.folder), role)}",
            )

    def _hold(self, book: Book, hold: BudgetHold) -> None:
        """Hold from now on, whether that can be stored or not."""
        if any(known.scope == hold.scope for known in self._holds.values()):
            return
        self._holds[hold.key] = hold
        self._unstored.add(hold.key)
        self._steps[hold.key] = {}
        self._apply(book)
        self._core.memory.store(book, lambda: self._core.memory.budgets.hold(hold))

    # events

    def see(self, book: Book, event: Event) -> None:
        """Take an event, after the ledger took it; viewers do so too."""
        memory = self._core.memory
        match event:
            case UsageSeen():
                self._see_spending(book, event.role, max((usage.wall for usage in event.usages), default=None))
            case BeatsSeen():
                for beat in event.beats:
                    if beat.usages or beat.own_cost_usd or beat.own_tokens:
                        self._see_spending(book, beat.role, beat.wall)
            case Ticked():
                changed = memory.ask(book, memory.budgets.changed)
                if changed or (self._unstored and memory.written):
                    self._read(book)
                elif self._spent or book.stamp.now - self._looked >= LOOK_S:
                    self._look(book)
            case _:
                pass
        if memory.unchecked:
            self._hold_unchecked(book)
        if memory.budgets.fresh:
            self._read(book)

    def _see_spending(self, book: Book, role: Role, wall: float | None) -> None:
        page = book.agent(role)
        if wall is not None:
            self._spent = True
            page.spent_wall = wall if page.spent_wall is None else max(wall, page.spent_wall)

    def _hold_unchecked(self, book: Book) -> None:
        unchecked, self._core.memory.unchecked = self._core.memory.unchecked, {}
        for role, why in unchecked.items():
            if self._rules.stops(role):
                said = f"what it spends can't be stored: {why}"
                self._hold(book, self._new(book, role, Cause.UNCHECKED, said))

    def _new(self, book: Book, scope: str, cause: Cause, why: str) -> BudgetHold:
        wall = book.stamp.wall
        return BudgetHold(scope=scope, wall=wall, cause=cause, why=why, day=self._rules.day_of(wall))

    # deciding

    def go_on(self, book: Book, *, counts: bool) -> None:
        """Go on with every stop: only of the one that acts, once all is known. ``counts``: a round of the clock."""
        if not self._reconciled:
            self._reconciled = self._reconcile(book)
        if counts:
            for page in book.agents.values():
                self._see_runaway(book, page)
        for page in book.agents.values():
            if page.hold is not None and page.role not in self._running and self._due(book, page) is not None:
                self._running.add(page.role)
                self._core.spawn(self._go_through(book, page), f"hard stop of {page.role}")

    def _see_runaway(self, book: Book, page: AgentBook) -> None:
        """Hold an agent that runs away, if it is to be stopped for that; once for each time that it does."""
        rule, spike = book.settings.spike_of(page.role), page.spike
        if rule.stop is not SpikeStop.ON or page.hold is not None or spike is None:
            return
        if self._core.spiking.firing_since(page.role) is None:
            return
        last = self._core.memory.ask(book, partial(self._core.memory.budgets.last_holds, 50))
        if any(hold.scope == page.role and hold.wall >= spike.since_wall for hold in last or ()):
            return  # a person has let it go on
        self._hold(book, self._new(book, page.role, Cause.RUNAWAY, spike.why))

    def _due(self, book: Book, page: AgentBook) -> Step | None:
        """Return the step that is due for an agent that is held."""
        if page.hold is None:
            return None
        done = self._of(page.hold, page.role)
        if Step.GATE in done and done[Step.GATE].ok and not self._shut(page.role):
            return Step.GATE  # somebody took the file away
        if not book.manages(page.role):
            return Step.GATE if Step.GATE not in done else None
        facts = Facts(
            runs=page.pane is not None and not page.dead,
            gated=page.gated,
            spent_wall=page.spent_wall,
            busy=page.status is ClientStatus.BUSY,
        )
        return hard_stop.next_step(done, facts, book.stamp.wall)

    def _shut(self, role: Role) -> bool:
        return self.folder is None or os.path.exists(holds.path_of(str(self.folder), role))  # noqa: PTH110

    def _of(self, hold: BudgetHold, role: Role) -> dict[Step, StepDone]:
        return self._steps.setdefault(hold.key, {}).setdefault(role, {})

    # doing

    async def _go_through(self, book: Book, page: AgentBook) -> None:
        """Do one step after the other, as long as one is due."""
        try:
            while (step := self._due(book, page)) is not None and page.hold is not None:
                if self._core.acts.under_way(Stop, page.role):
                    await self._core.next_round()  # a person stops it just now
                    await asyncio.sleep(0.1)
                    book.stamp = max(book.stamp, self._core.stamp())
                    continue
                hold = page.hold
                outcome = await self._do(book, hold, page.role, step)
                self._keep(book, hold, page.role, step, outcome)
        finally:
            self._running.discard(page.role)
            if page.hold is None:
                self._open(book, page.role)  # a person lifted it while its gate was being shut

    def _do(self, book: Book, hold: BudgetHold, role: Role, step: Step) -> asyncio.Future[Outcome]:
        reason = f"hold of {hold.scope}"
        if step is Step.END:
            grace = min(book.settings.stop_grace_s, GRACE_S)
            return self._core.acts.begin(Stop(role=role, by=By.RULE, reason=reason, grace_s=grace, whoever=True))
        return self._core.acts.begin(
            StopSpending(role=role, step=step, text=hold.why, since=hold.wall, by=By.RULE, reason=reason)
        )

    def _keep(self, book: Book, hold: BudgetHold, role: Role, step: Step, outcome: Outcome) -> None:
        done = StepDone(step=step, ok=outcome.ok, wall=self._core.stamp().wall, message=outcome.message)
        self._of(hold, role)[step] = done
        self._core.memory.store(book, partial(self._core.memory.budgets.step_done, hold, role, done))
        self._core.wake()

    def _reconcile(self, book: Book) -> bool:
        """Let files of holds and the ledger say the same; return whether that was possible.

        A file without a hold is what a lift left that was cut off, or what was held while the ledger couldn't be
        written. The first is taken away, the second stands.
        """
        memory = self._core.memory
        if self.folder is None:
            return False
        try:
            names = os.listdir(self.folder / holds.FOLDER)  # noqa: PTH208 - names are enough
        except OSError:
            return False
        for name in names:
            role, path = role_of(name), holds.path_of(str(self.folder), name)
            if name.startswith(".") or role != name or book.agent(role).hold is not None:
                continue
            since = holds.since(path)
            lifted = since is not None and memory.ask(book, partial(memory.budgets.lifted_after, {role, TEAM}, since))
            if lifted is None:
                return False
            if lifted:
                self._open(book, role)
            else:
                self._hold(book, self._new(book, role, Cause.UNCHECKED, holds.reason(path).removeprefix("held: ")))
        return True

    # what a person does

    def lift(self, scope: str, amount: Decimal | None, who: str) -> Outcome:
        """Let a scope spend again, with a new limit for today. Raises ``TeamopsError`` where that may not be."""
        book, memory = self._core.book, self._core.memory
        lifted = memory.budgets.lift(scope, amount, who, book.stamp.wall)
        was = [page.role for page in book.agents.values() if page.hold is not None]
        self._unstored -= {key for key in self._unstored if key[0] == scope}
        self._read(book)
        free = [role for role in was if book.agent(role).hold is None]
        for role in free:
            self._open(book, role)
        more = f"may spend ${amount:.2f} today" if amount is not None else "may spend again"
        if not lifted:
            return Outcome(ok=True, message=f"{scope} {more}; it was not held")
        still = [role for role in was if role not in free]
        rest = f"; still held: {', '.join(still)}" if still else ""
        return Outcome(ok=True, message=f"{scope} {more}{rest}", hint="start it (u) or poke it (p)")

    async def stop_by_hand(self, role: Role) -> Outcome:
        """Stop an agent's spending as a person asked, with all steps; by the supervisor that acts, if there is one."""
        book = self._core.book
        page = book.agent(role)
        if page.hold is None:
            self._hold(book, self._new(book, role, Cause.PERSON, "stopped by a person"))
        alone = book.supervisor.pid is None
        if alone and role not in self._running:
            self._running.add(role)
            await self._go_through(book, page)
        # Another process's steps are known from the ledger, its own from its pane: the one may be ahead of the other.
        loop = asyncio.get_running_loop()
        over = loop.time() + (0.0 if alone else SETTLED_S)
        while page.hold is not None and loop.time() < over:
            await asyncio.sleep(0.05)
            await self._core.next_round()
            if role in self._running or self._due(book, page) is not None:
                over = loop.time() + SETTLED_S
        if page.hold is None:
            return Outcome(ok=True, message=f"{role}: a person lifted the hold meanwhile")
        done = self._of(page.hold, role)
        trouble = hard_stop.trouble(done)
        return Outcome(ok=not trouble, message=f"{role}: {budget_alerts.steps_words(done)}", hint=trouble)

    # out

    def lines(self) -> tuple[BudgetLine, ...]:
        """Return how each budget stands, with what holds it and what was done about that."""
        by_scope = {hold.scope: hold for hold in self._holds.values()}
        return tuple(
            replace(line, hold=hold, steps=_frozen(self._steps.get(hold.key, {})))
            if (hold := by_scope.get(line.scope)) is not None
            else line
            for line in self._lines
        )

    def findings(self, book: Book) -> list[Finding]:
        """Return what a person has to know now."""
        del book
        found = budget_alerts.line_findings(self.lines(), self._rules.zone_name)
        for hold in self._holds.values():
            found += budget_alerts.hold_findings(hold, self._steps.get(hold.key, {}))
        return found


def _frozen(steps: Mapping[str, Mapping[Step, StepDone]]) -> dict[str, tuple[StepDone, ...]]:
    return {role: tuple(done[step] for step in Step if step in done) for role, done in steps.items()}
