"""What the restart policy needs to know of an agent, beyond its health: who started it, whether it ever lived."""

from __future__ import annotations

import re
from functools import partial

from msgspec.structs import replace

from teamops.domain import health, login, restart
from teamops.domain import restart_step as rule
from teamops.model.actions import Outcome
from teamops.model.agent import AgentState
from teamops.model.agent_report import Launch
from teamops.model.boundary import NOT_HELD
from teamops.model.events import PanesSeen
from teamops.model.role import Role
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.book import Book
from teamops.supervisor.memory import Memory
from teamops.tmux.ending import born_of

_STARTED = r"pane (%\d+) pid (\d+)(?: session (\S+))?( adopted)?"


class RestartFacts:
    """Belongs to the supervisor's loop."""

    def __init__(self, memory: Memory, book: Book) -> None:
        self._memory = memory
        self._book = book
        self._alive: dict[Role, int] = {}
        """Roles that were seen alive, and the last process of each."""
        self._known: dict[Role, bool] = {}
        """Whether an earlier life saw it alive, as far as that was asked."""
        self._launches: dict[Role, Launch | None] = {}
        """As the ledger has them, until something happens that may change them."""

    def see_panes(self, seen: PanesSeen) -> None:
        """Remember who was seen alive."""
        self._launches.clear()
        for role, pane in seen.panes:
            if not pane.dead:
                self._alive[role] = pane.pid

    def reading(self, page: AgentBook, *, free: bool) -> rule.Reading:
        """Return what the policy needs to know of an agent. ``free``: see ``restart_step.Reading``."""
        state, now, book = page.health, self._book.stamp.now, self._book
        alive = page.pane is not None and not page.dead
        unwell = state in restart.UNWELL
        worked = None
        if page.keeping is not None:
            facts = page.facts(managed=book.manages(page.role), light_since=None)
            worked = health.worked_at(facts, now)
        return rule.Reading(
            state=state,
            cause=f"{state.value}: {page.health_evidence.detail}",
            spared=self._spared(page) if unwell else "",
            alive=alive,
            may_end=unwell and alive and self.is_ours(page),
            worked=worked,
            born=page.born,
            sign=self._sign(page),
            free=free,
        )

    def _spared(self, page: AgentBook) -> str:
        book = self._book
        launch = self._launch(page.role)
        ours = launch is not None and not launch.adopted and launch.pid == self._alive.get(page.role, launch.pid)
        return rule.spared(
            page.health,
            in_pane=page.pane is not None,
            ours=ours,
            exit_status=page.exit_status,
            exit_signal=page.exit_signal,
            holds_light=bool(book.held_by(page.role)),
            known=self._was_alive(page.role),
            startable=book.restartable(page),
            announced=page.shutdown_until is not None,
        )

    def _was_alive(self, role: Role) -> bool:
        if role in self._alive:
            return True
        if role not in self._known:
            seen = self._memory.ask(self._book, partial(self._memory.keeping.seen_alive, role))
            if seen is None:
                return False
            self._known[role] = seen
        return self._known[role]

    @staticmethod
    def _sign(page: AgentBook) -> str:
        """Return what an agent shows of a failing authentication now."""
        if page.auth:
            return "its client says that its account is refused"
        if page.health is AgentState.ERRORED:
            return login.refused(page.health_evidence.detail)
        return ""

    # launches

    def _launch(self, role: Role) -> Launch | None:
        if role not in self._launches:
            self._launches[role] = self._memory.ask(self._book, partial(self._memory.launches.get, role))
        return self._launches[role]

    def launch_of(self, role: Role) -> Launch | None:
        """Return what is known of the process that runs, or ran, for a role; with its client's session now."""
        launch, page = self._launch(role), self._book.agent(role)
        if launch is not None and page.client_session and page.client_session != launch.client_session:
            return replace(launch, client_session=page.client_session)
        return launch

    def keep_sessions(self) -> None:
        """Store the client's session of each agent once it is known: whoever starts it next can go on with it."""
        for page in self._book.agents.values():
            launch = self._launch(page.role) if page.client_session and page.pane is not None else None
            if launch is None or page.pane is None or launch.pid != page.pane.pid or page.dead:
                continue
            if launch.client_session != page.client_session:
                fresh = replace(launch, client_session=page.client_session)
                self._memory.store(self._book, partial(self._memory.launches.save, fresh))
                self._launches[page.role] = fresh

    def is_ours(self, page: AgentBook) -> bool:
        """Return whether teamops started the process in the agent's pane, so that it may end it."""
        launch = self._launch(page.role)
        if launch is None or launch.adopted or page.pane is None or launch.pid != page.pane.pid:
            return False
        return launch.born == born_of(launch.pid)

    def forget_launches(self) -> None:
        """Look at the ledger again: a launch may be new."""
        self._launches.clear()

    def launched(self, role: Role, outcome: Outcome) -> None:
        """Remember the process that a start or restart began or adopted, by the evidence of its outcome."""
        found = re.match(_STARTED, outcome.evidence)
        settings = self._book.settings.role(role)
        if found is None or settings is None:
            return
        launch = Launch(
            role=role,
            session=settings.session,
            pane_id=found[1],
            pid=int(found[2]),
            born=born_of(int(found[2])),
            client=settings.client,
            client_session=found[3] or "",
            wall=self._book.stamp.wall,
            adopted=found[4] is not None,
            held=outcome.held or NOT_HELD,
        )
        self._memory.store(self._book, lambda: self._memory.launches.save(launch))
        self._launches.clear()
