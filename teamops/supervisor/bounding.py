"""The agents' boundaries as they are shown: the policy in words, what holds each agent, what was refused."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.config.settings import RoleSettings, SandboxMode
from teamops.domain import boundary_notices as rule
from teamops.domain.boundary_words import in_words, unreadable
from teamops.model.actions import Restart, Start
from teamops.model.agent import Beat
from teamops.model.agent_report import Launch
from teamops.model.alert import Finding
from teamops.model.boundary import BoundaryView, Decision, Verdict
from teamops.model.errors import TeamopsError
from teamops.model.events import ActionFinished, BeatsSeen, Event, PaneDied, PanesSeen, Ticked
from teamops.model.role import Role
from teamops.model.text import clean_line
from teamops.supervisor.book import Book
from teamops.tmux.ending import born_of

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

LOOK_TICKS = 5
"""So many rounds of the clock between two looks whether another process has started an agent."""
MOST_UNSTORED = 200
OFF = "sandbox.mode is off"
UNKNOWN = "teamops did not start it, and does not know what holds it"


class Bounding:
    """Draws a view anew only where something of it has changed. Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.views: dict[Role, BoundaryView] = {}
        """What is shown of each agent's boundary."""
        self._policies: dict[Role, BoundaryView] = {}
        self._launches: dict[Role, Launch] = {}
        self._pids: dict[Role, int] = {}
        """The living process of each agent, as it was last drawn."""
        self._judged: set[Role] = set()
        """Whose hook has decided something for that process."""
        self._blocked: dict[Role, int] = {}
        self._last: dict[Role, Decision] = {}
        self._midnight = 0.0
        self._refused: dict[Role, deque[tuple[float, Decision]]] = {}
        """The last refusals that count, and the observed moments of them, of roles that have some."""
        self._floods: dict[Role, Decision] = {}
        """Whose calls are refused again and again, and one of them."""
        self._unenforced: dict[Role, Finding] = {}
        """Whom nothing holds, and what is said of that."""
        self._strangers: set[Role] = set()
        """Whose process is not known as one that was started or adopted."""
        self._unstored: deque[Decision] = deque(maxlen=MOST_UNSTORED)
        """What was refused or warned of in this life, where nobody stores it."""
        self._ticks = 0
        self.known = asyncio.Event()
        """The policies were read once."""

    def load(self, book: Book) -> None:
        """Read back what earlier lives stored."""
        memory, stamp = self._core.memory, book.stamp
        self._know_the_day(book)
        for role in book.agents:
            told = memory.ask(book, partial(memory.boundaries.denied_since, role, 0.0, rule.MANY)) or []
            moments = [
                (stamp.now - (stamp.wall - one.wall), one)
                for one in told
                if rule.counts(one) and stamp.wall - one.wall < rule.WITHIN_S
            ]
            if told:
                self._last[role] = told[-1]
            if moments:
                self._refused[role] = deque(moments, rule.MANY)
        self._read_launches(book)

    def _know_the_day(self, book: Book) -> None:
        self._midnight = book.midnight
        memory = self._core.memory
        self._blocked = dict(memory.ask(book, lambda: memory.boundaries.blocked_since(book.midnight)) or {})

    def _read_launches(self, book: Book) -> bool:
        """Return whether a launch is new."""
        launches = self._core.memory.ask(book, self._core.memory.launches.all)
        before, self._launches = self._launches, self._launches if launches is None else launches
        return before != self._launches

    async def read(self) -> None:
        """Put every role's policy into words: once in a life, since a team's settings stand as long as it lasts."""
        roles = self._core.book.settings.roles
        policies = await asyncio.to_thread(lambda: {role.role: policy_view(role) for role in roles})
        self._policies.update(policies)
        for role in policies:
            self._draw(self._core.book, role)
        self.known.set()
        self._core.wake()

    # what happens

    def see(self, book: Book, event: Event) -> None:
        """Take an event, after the book took it; viewers do so too."""
        match event:
            case BeatsSeen():
                self._see_beats(book, event)
            case PanesSeen():
                for role, page in book.agents.items():
                    if self._pids.get(role) != (page.pane.pid if page.pane is not None and not page.dead else None):
                        self._draw(book, role)
            case PaneDied():
                self._draw(book, event.role)
            case ActionFinished(action=Start() | Restart()):
                self._read_launches(book)
                settings = book.settings.role(event.action.role) if event.action.role else None
                if settings is not None:  # the policy was written anew as the agent was started
                    self._policies[settings.role] = policy_view(settings)
                    self._draw(book, settings.role)
            case Ticked():
                self._tick(book)
            case _:
                pass

    def _tick(self, book: Book) -> None:
        if book.midnight != self._midnight:
            self._know_the_day(book)
            for role in book.agents:
                self._draw(book, role)
        self._ticks += 1
        if self._strangers and self._ticks % LOOK_TICKS == 0 and self._read_launches(book):
            for role in tuple(self._strangers):
                self._draw(book, role)

    def _see_beats(self, book: Book, seen: BeatsSeen) -> None:
        changed = {beat.role for beat in seen.known if self._see(beat)}
        for beat in seen.beats:
            if not self._see(beat):
                continue
            changed.add(beat.role)
            decision = beat.decision
            if book.supervisor.pid is None and decision is not None and decision.verdict is not Verdict.ALLOW:
                self._unstored.append(decision)
            if decision is None or decision.verdict is not Verdict.DENY:
                continue
            self._last[beat.role] = decision
            if decision.wall >= book.midnight:
                self._blocked[beat.role] = self._blocked.get(beat.role, 0) + 1
            if rule.counts(decision):
                moments = self._refused.setdefault(beat.role, deque(maxlen=rule.MANY))
                moments.append((book.observed(decision.wall, seen.stamp), decision))
        for role in changed:
            self._draw(book, role)

    def _see(self, beat: Beat) -> bool:
        """Return whether a beat changes what is shown of its agent's boundary."""
        if beat.decision is None:
            return False
        fresh = beat.role not in self._judged
        self._judged.add(beat.role)
        return fresh or beat.decision.verdict is not Verdict.ALLOW

    def refused(self, role: Role | None, limit: int) -> list[Decision]:
        """Return what hooks refused or warned of, newest first; with what nobody has stored, since nobody acts.

        Raises ``LedgerError``.
        """
        known = self._core.memory.boundaries.refused(role, limit)
        fresh = [one for one in reversed(self._unstored) if role in (None, one.role)]
        return sorted([*fresh, *known], key=lambda one: -one.wall)[:limit] if fresh else known

    # what is shown

    def _draw(self, book: Book, role: Role) -> None:
        page = book.agents.get(role)
        if page is None:
            return
        pid = page.pane.pid if page.pane is not None and not page.dead else None
        before = self._pids.get(role)
        if pid is None:
            self._pids.pop(role, None)
        else:
            self._pids[role] = pid
        if before is not None and pid != before:
            self._judged.discard(role)  # by another process
        launch = self._launches.get(role)
        known = launch is not None and launch.pid == pid and (launch.adopted or launch.born == born_of(launch.pid))
        held = launch.held if launch is not None and known else None
        hook = role in self._judged or (held is not None and held.hooked)
        kernel = held.kernel if held is not None else ""
        policy = self._policies.get(role, BoundaryView(unruled=book.settings.role(role) is None))
        why, waived = "", book.settings.sandbox.mode is SandboxMode.OFF
        if pid is not None and not kernel and not hook and not policy.unruled and self.known.is_set():
            why = OFF if waived else (held.unheld if held is not None else "") or UNKNOWN
            why += "; no hook of its client has asked so far"
        self._unenforced.pop(role, None)
        if why and not waived:
            started = known and launch is not None and not launch.adopted
            self._unenforced[role] = rule.unenforced_finding(role, why, started=started)
        self._strangers.discard(role)
        if pid is not None and not known:
            self._strangers.add(role)
        self.views[role] = replace(
            policy,
            kernel=kernel,
            hook=hook and pid is not None,
            unenforced=why,
            waived=waived,
            blocked=self._blocked.get(role, 0),
            last_blocked=self._last.get(role),
        )

    def findings(self, book: Book) -> list[Finding]:
        """Return what a person has to know now."""
        found = []
        for role, moments in tuple(self._refused.items()):
            while moments and moments[0][0] <= book.stamp.now - rule.WITHIN_S:
                moments.popleft()
            if not rule.is_flood([at for at, _ in moments], book.stamp.now, before=role in self._floods):
                self._floods.pop(role, None)
                if not moments:
                    del self._refused[role]
                continue
            # One word as long as it lasts, not another one at each call.
            found.append(rule.flood_finding(role, self._floods.setdefault(role, moments[-1][1])))
        return [*found, *self._unenforced.values()]


def policy_view(role: RoleSettings) -> BoundaryView:
    """Return a role's boundary in words, as its profile and the settings say. Blocks: reads the profile."""
    try:
        from teamops.config.boundary import policy_of  # not before the first frame: globs take their time

        return in_words(policy_of(role))
    except TeamopsError as error:
        return unreadable(clean_line(error.message))
