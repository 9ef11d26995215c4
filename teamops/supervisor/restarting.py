"""What teamops does about an agent that is not well: restarts by the policy, cooldowns, holds, giving up.

The policy is ``domain.restart_step``. What it decides is stored before it is done: killed in between, the next life
knows of the restart, keeps its cooldown, and does not begin it a second time.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.domain import restart
from teamops.domain import restart_step as rule
from teamops.domain.restart import Hold, Keeping, Kept
from teamops.domain.restart_alerts import keeping_findings
from teamops.ledger.store import LedgerError
from teamops.model.actions import Action, By, Outcome, Restart, Start, Stop
from teamops.model.agent_report import RestartRecord
from teamops.model.alert import Finding
from teamops.model.events import ActionFinished, Event, PanesSeen, Ticked
from teamops.model.role import Role
from teamops.model.snapshot import LogLine
from teamops.supervisor.after_restart import Awaited, is_over
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.agent_past import began
from teamops.supervisor.book import Book
from teamops.supervisor.restart_facts import RestartFacts

if TYPE_CHECKING:
    from teamops.supervisor.before_restart import Before
    from teamops.supervisor.core import Core

_ACTS: tuple[type[Action], ...] = (Restart, Start, Stop)
CARRY_ON_S = 600.0
"""A restart that an earlier life began so lately, and nobody has told its agent of its light since, is gone on with."""
SLACK_S = 10.0
"""An agent that is stopped may be killed, with all that it began, so long after its grace."""
ASKED = "asked for by a person"
STOPPED = "stopped by a person"
_GRACE = re.compile(re.escape(STOPPED) + r" \(it has ([0-9.]{1,10}) s to end\)")


def stopped(grace_s: float) -> str:
    """Return why an agent is held that a person stops; the grace is said, for processes that only read of it."""
    return f"{STOPPED} (it has {grace_s:.1f} s to end)"


def grace_of(why: str) -> float | None:
    """Return the grace that ``stopped`` said, in seconds; ``None`` = it is no stop."""
    found = _GRACE.fullmatch(why)
    return float(found[1]) if found else None


class Restarter:
    """Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._slot = rule.Slot()
        self._stored: dict[Role, Kept] = {}
        """As the ledger has it, by this process's last writing or reading."""
        self._before: dict[Role, tuple[Before, int]] = {}
        """What stood there before a restart that is about to begin, and which attempt it is."""
        self._until_stop: dict[Role, Keeping | None] = {}
        """What was kept of an agent before a person's stop that is under way."""
        self._begun_at: dict[Role, float] = {}
        """When restarts that are under way began."""
        self._awaited: dict[Role, Awaited] = {}
        self.facts = RestartFacts(core.memory, core.book)
        self._left_alone: set[Role] = set()
        """Unwell agents whose living process teamops may not end."""
        self._newest = 0
        """The newest restart on record that was seen."""

    # what is remembered

    def load(self, book: Book) -> None:
        """Read back what earlier lives stored; a restart that one of them did not see the end of is gone on with."""
        memory = self._core.memory
        memory.ask(book, memory.keeping.changed)
        self._read(book)
        self._newest = memory.ask(book, memory.keeping.newest) or 0
        if not memory.acting or not self._newest:
            return
        lately = book.stamp.wall - CARRY_ON_S
        for _, role, wall in memory.ask(book, lambda: memory.keeping.begun_after(0, lately)) or []:
            if role in book.agents and not memory.ask(book, partial(memory.keeping.told_since, role, wall)):
                self._awaited[role] = Awaited(book.stamp.now, book.observed(wall, book.stamp), before=True)

    def _read(self, book: Book) -> None:
        """Take what is stored and is not what this process stored itself."""
        memory, stamp = self._core.memory, book.stamp
        for role, kept in (memory.ask(book, memory.keeping.all) or {}).items():
            if role not in book.agents or self._stored.get(role) == kept:
                continue
            self._stored[role] = kept
            since = stamp.wall - rule.WINDOW_S
            walls = memory.ask(book, partial(memory.keeping.rule_restarts_since, role, since)) or []
            keeping = restart.from_kept(kept, walls, stamp, book.settings.restart_of(role))
            book.agents[role].keeping = None if keeping.blank else keeping
            grace_s = grace_of(keeping.held_why) if keeping.held is Hold.HUMAN else None
            if grace_s is not None:  # perhaps from another shell, and not over yet
                whole = grace_s + SLACK_S
                left = min(whole, kept.changed_wall + whole - stamp.wall)  # the wall clock may have been set back
                if left > 0:
                    book.agents[role].expect_end(stamp.now + left)

    def _hear_others(self, book: Book) -> None:
        """Take what other processes did: a person's ``teamops restart``, the decisions of the one that acts."""
        memory = self._core.memory
        if not memory.ask(book, memory.keeping.changed):
            return
        self.facts.forget_launches()
        self._read(book)
        if not memory.acting:
            return
        for action, role, wall in memory.ask(book, lambda: memory.keeping.begun_after(self._newest)) or []:
            self._newest = action
            if role in book.agents:
                since = book.stamp.now - max(0.0, book.stamp.wall - wall)
                self._awaited[role] = Awaited(since, since)

    def _keep(self, book: Book, role: Role, keeping: Keeping) -> bool:
        """Store and take what is kept of an agent; return whether it is stored."""
        kept, memory = restart.to_keep(keeping, book.stamp), self._core.memory
        book.agent(role).keeping = None if keeping.blank else keeping
        self._stored[role] = kept
        if memory.written:
            try:
                memory.keeping.save(role, kept)
            except LedgerError as error:
                book.ledger_trouble = str(error)
            else:
                return True
        memory.store(book, lambda: memory.keeping.save(role, kept))
        return False

    # events

    def see(self, book: Book, event: Event) -> None:
        """Take an event, after the book took it; viewers do so too."""
        match event:
            case Ticked():
                self._hear_others(book)
                if self._core.memory.acting:
                    self.facts.keep_sessions()
                for page in book.agents.values():
                    if page.keeping is not None and (event.gap_s or not book.supervisor.acting):
                        self._look_again(book, page, gap=bool(event.gap_s))
            case PanesSeen():
                self.facts.see_panes(event)
            case ActionFinished():
                self.facts.forget_launches()
                self._finished(book, event.action, event.outcome)
            case _:
                pass

    def _look_again(self, book: Book, page: AgentBook, *, gap: bool) -> None:
        """After a gap count anew; and let a viewer, who asks no rule, know whether the agent is unwell."""
        keeping = page.keeping
        if keeping is None:
            return
        unwell = 0 if gap or not keeping.attempts else int(self._is_called_for(book, page))
        if unwell != keeping.unwell:
            page.keeping = replace(keeping, unwell=unwell)

    def _is_called_for(self, book: Book, page: AgentBook) -> bool:
        return rule.called_for(self.facts.reading(page, free=False), book.settings.restart_of(page.role))

    def begun(self, book: Book, action_id: int, action: Action) -> None:
        """An action was recorded and begins now: a person's clears what was kept, and holds or sets going."""
        if not isinstance(action, Restart | Start | Stop):
            return
        role, page = action.role, book.agent(action.role)
        keeping = page.keeping or Keeping()
        if isinstance(action, Stop):
            self.facts.keep_sessions()  # this process may be the only one that knows them
            page.expect_end(book.stamp.now + action.grace_s + SLACK_S)
            if action.by is By.PERSON:
                self._until_stop[role] = page.keeping
                self._keep(book, role, restart.held(keeping, Hold.HUMAN, stopped(action.grace_s), book.stamp.now))
            return
        if action.by is By.PERSON:
            self._keep(book, role, restart.cleared(keeping))
        if isinstance(action, Restart):
            self._record(book, action_id, action)
            self._newest = max(self._newest, action_id)
            self._begun_at[role] = book.stamp.now

    def _record(self, book: Book, action_id: int, action: Restart) -> None:
        from teamops.supervisor.before_restart import Before, ending_of

        page, memory = book.agent(action.role), self._core.memory
        before, attempt = self._before.pop(action.role, (Before(ending=ending_of(page)), 0))
        launch = self.facts.launch_of(action.role)
        record = RestartRecord(
            action_id=action_id,
            role=action.role,
            wall=book.stamp.wall,
            by=action.by,
            cause=action.reason or ASKED,
            ending=before.ending,
            attempt=attempt if action.by is By.RULE else 0,
            screen=before.screen,
            notes=before.notes,
            session=launch.client_session if launch is not None else "",
        )
        if action_id >= 0:
            memory.store(book, lambda: memory.keeping.add_restart(record))

    def _finished(self, book: Book, action: Action, outcome: Outcome) -> None:
        if isinstance(action, Stop) and action.role in self._until_stop:
            before = self._until_stop.pop(action.role)
            if not outcome.ok and book.agent(action.role).health not in restart.GONE:
                self._keep(book, action.role, before or Keeping())  # it was not stopped
        elif isinstance(action, Start) and outcome.ok:
            self.facts.launched(action.role, outcome)
        elif isinstance(action, Restart):
            since = self._begun_at.pop(action.role, book.stamp.now)
            if outcome.ok:
                self.facts.launched(action.role, outcome)
                if book.supervisor.acting:
                    self._awaited[action.role] = Awaited(since, since)

    # deciding

    def go_on(self, book: Book, *, counts: bool) -> None:
        """Decide and act: only of the one that acts, once all is known. ``counts``: a round of the clock."""
        for role in tuple(self._awaited):
            self._see_whether_ready(book, role)
        if not counts or book.settings.watch_only:
            return
        for page in book.agents.values():
            if page.keeping is not None or page.health in restart.UNWELL or page.auth:
                self._ask(book, page)

    def _ask(self, book: Book, page: AgentBook) -> None:
        """Ask the policy about one agent, and do what it says."""
        if page.settings is None or page.hold is not None:
            return  # who may not spend is not started
        self._left_alone.discard(page.role)
        policy = book.settings.restart_of(page.role)
        reading = self.facts.reading(page, free=page.health in restart.UNWELL and self._is_free(book))
        before = page.keeping or Keeping()
        after, move = rule.step(before, reading, book.stamp.now, policy)
        if move is None:
            if after.unwell >= rule.ROUNDS and reading.alive and not reading.may_end:
                self._left_alone.add(page.role)
            page.keeping = None if after.blank else after
            return
        if isinstance(move, rule.Restart) and self._core.memory.busy_elsewhere(book):
            page.keeping = replace(before, unwell=before.unwell + 1)  # a person's shell restarts one just now
            return
        stored = self._keep(book, page.role, after)
        if not isinstance(move, rule.Restart):
            return
        if not stored:
            # Nobody would know of it after a restart of teamops: there would be no end to it.
            page.keeping = replace(before, unwell=before.unwell + 1)
            return
        self._slot = rule.Slot(page.role)
        self._core.spawn(self._restart(book, page, move), f"restart of {page.role}")

    def _is_free(self, book: Book) -> bool:
        """Return whether nothing in the team is being restarted, started or stopped."""
        if not self._slot.free(book.stamp.now) or self._awaited:
            return False
        return not any(self._core.acts.under_way(kind, role) for role in book.agents for kind in _ACTS)

    # doing

    async def _restart(self, book: Book, page: AgentBook, move: rule.Restart) -> None:
        """Restart an agent by rule: what stands there is kept, then its command is begun again."""
        from teamops.supervisor import before_restart

        role = page.role
        try:
            before = await before_restart.look(self._core, page)
            keeping = page.keeping or Keeping()
            if keeping.held is not None or keeping.attempts != move.attempt:
                return  # a person has acted meanwhile
            if before.refused:
                self._keep(book, role, restart.held(keeping, Hold.AUTH, before.refused, book.stamp.now))
                return
            if page.health not in restart.UNWELL:
                return
            if before.notes:
                book.note(LogLine(book.stamp.wall, "source", f"before its restart: {'; '.join(before.notes)}", role))
            self._before[role] = (before, move.attempt)
            reason = f"{move.cause}; {move.attempt} of {keeping.of}"
            outcome = await self._core.acts.begin(Restart(role=role, by=By.RULE, reason=reason))
            if outcome.ok and role in self._awaited:
                self._slot = rule.Slot(role, ready_by=book.stamp.now + rule.READY_S)
        finally:
            self._before.pop(role, None)
            if self._slot.role == role and self._slot.ready_by is None:
                self._slot = rule.Slot()

    async def by_hand(self, role: Role) -> Outcome:
        """Restart an agent as a person asked: whatever was kept of it is cleared, and nothing is counted."""
        from teamops.supervisor import before_restart

        page = self._core.book.agent(role)
        if self._core.book.manages(role) and not self._core.acts.under_way(Restart, role):
            self._before[role] = (await before_restart.look(self._core, page), 0)
        return await self._core.acts.begin(Restart(role=role, by=By.PERSON))

    def _see_whether_ready(self, book: Book, role: Role) -> None:
        """Let the next one begin once a restarted agent is ready, and tell it of the light it holds."""
        page = book.agent(role)
        over = is_over(page, self._awaited[role], book.stamp.now)
        if over is None:
            return
        awaited = self._awaited.pop(role)
        if self._slot.role == role:
            self._slot = rule.Slot()
        if over:
            since = began(page)
            self._core.announcer.after_restart(book, role, awaited.begun if since is None else since)

    # findings

    def findings(self, book: Book) -> list[Finding]:
        """Return what a person has to know now."""
        found: list[Finding] = []
        for page in book.agents.values():
            if page.keeping is not None and page.hold is None:
                alone = page.role in self._left_alone
                lit = bool(book.held_by(page.role))
                found += keeping_findings(page.role, page.keeping, page.state, page.health, lit=lit, left_alone=alone)
        return found
