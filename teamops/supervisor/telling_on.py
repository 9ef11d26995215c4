"""Lines by rule about lights that were told already: again where nobody took one, a reminder where nobody answers.

The rule is ``domain.telling``. An agent that refused a line (a dialog, a person's draft) is looked at, without a word,
until nothing hinders any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from teamops.domain import telling
from teamops.domain.delivery import Way
from teamops.domain.health import worked_at
from teamops.domain.light import Light
from teamops.domain.telling import Holder, Move
from teamops.model.actions import By, Poke, Restart, Start, Stop
from teamops.model.agent import AgentState
from teamops.model.alert import Finding
from teamops.model.pane import Screen
from teamops.model.role import HUMAN, Role
from teamops.model.snapshot import LogLine
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.agent_past import began
from teamops.supervisor.announcing import Mark, giver_of, mark_of, reason_of
from teamops.supervisor.book import Book
from teamops.supervisor.pokes import light_line, reminder_line

if TYPE_CHECKING:
    from teamops.supervisor.core import Core
    from teamops.supervisor.delivering import Deliverer

CUT_OFF_S = 5.0
"""A light that is claimed, and of which no line is on record after so long, was claimed by one that was killed."""
CLEAR_S = 3.0
"""A look that found nothing in the way holds for so long."""
START_S = 10.0
"""So long a client may write into its log for its start alone."""
_ACTS = (Restart, Start, Stop, Poke)
_NO_LINE = frozenset({Screen.DIALOG, Screen.RETRYING, Screen.EXITED})


@dataclass(slots=True)
class _Watched:
    """One light that was told."""

    mark: Mark
    seen: float
    """Since when this life knows that it was told, observed seconds."""
    looks: int = 0
    """How often in a row its holder was looked at, and something was in the way."""
    due: float = 0.0
    """The next look comes no sooner."""
    clear: float | None = None
    """When a look found nothing in the way."""
    looking: bool = False
    saw: tuple[AgentState, Screen | None] | None = None
    """What was known of its holder at the last look: if that changes, the next look comes at once."""
    told_limit: bool = False


class TellingOn:
    """Belongs to the supervisor's loop."""

    def __init__(self, core: Core, deliverer: Deliverer) -> None:
        self._core = core
        self._deliverer = deliverer
        self._watched: dict[str, _Watched] = {}
        self._again: dict[str, tuple[Mark, float]] = {}
        """Lights whose holder was restarted since it was told, and when its process began."""

    def again(self, book: Book, role: Role, since: float) -> None:
        """Tell a restarted agent of each light it holds, but for those that the announcer has still to tell."""
        for key, light in book.lights.items():
            if light.role == role and self._core.announcer.decided(key, light):
                self._again[key] = (mark_of(light), since)

    def reasons(self, book: Book) -> set[tuple[str, Role]]:
        """Return under which reasons lines may be typed about the lights that stand, and to whom."""
        announcer = self._core.announcer
        found = {(announcer.told_as(key, light), light.role) for key, light in book.lights.items()}
        return found | {(reason_of(light), light.role) for light in book.lights.values()}

    def go_on(self, book: Book) -> None:
        """Type what is due, at most one line for each agent."""
        if book.settings.watch_only or self._core.trail.unsettled or not self._core.memory.written:
            return
        for table in (self._watched, self._again):
            for gone in table.keys() - book.lights.keys():
                table.pop(gone)
        for key, light in book.lights.items():
            if self._is_ours(book, light):
                self._ask(book, key, light)

    @staticmethod
    def _is_ours(book: Book, light: Light) -> bool:
        settings = book.settings.role(light.role)
        if light.role == HUMAN or settings is None or not book.manages(light.role):
            return False
        return book.settings.auto_poke and settings.auto_poke

    def _ask(self, book: Book, key: str, light: Light) -> None:
        reason = self._core.announcer.told_as(key, light)
        mark, since = self._again.get(key, (None, 0.0))
        again = mark == mark_of(light) and not _took_up(book.agent(light.role), since)
        if not again:
            self._again.pop(key, None)
        if not reason and not again:
            return
        reason = reason or reason_of(light)
        lines = self._deliverer.lines(book, reason, light.role)
        if lines is None:
            return
        watched = self._watched.get(key)
        if watched is None or watched.mark != mark_of(light):
            watched = self._watched[key] = _Watched(mark_of(light), book.stamp.now)
        limits, page = book.settings.limits, book.agent(light.role)
        if again and telling.lines_typed(lines) >= limits.pokes_per_light:
            self._say_limit(book, light, watched)
        holder = self._holder(book, page, light, lines, again=again)
        move = telling.next_move(lines, holder, book.stamp.now, limits, light.tier)
        if move is None or (move is Move.TELL and not again and self._may_wait(book, light, reason, lines, watched)):
            return
        if lines and not lines[-1].was_typed and not self._is_clear(book, light, lines, watched):
            return
        self._again.pop(key, None)
        watched.looks, watched.clear = 0, None
        self._core.acts.begin(
            Poke(role=light.role, text=self._text(book, light, move, lines), by=By.RULE, reason=reason)
        )

    def _say_limit(self, book: Book, light: Light, watched: _Watched) -> None:
        if watched.told_limit:
            return
        watched.told_limit = True
        said = f"restarted, and not told of its light again: {book.settings.limits.pokes_per_light} lines were typed"
        book.note(LogLine(book.stamp.wall, "source", said, light.role, ok=False))

    def _may_wait(self, book: Book, light: Light, reason: str, lines: Sequence[Way], watched: _Watched) -> bool:
        """Return whether the line need not be typed (now): a person told it, or another process is about to."""
        if not lines and book.stamp.now - watched.seen < CUT_OFF_S:
            return True
        outcome = self._core.memory.announced.last_poke(book, light, reason.rpartition("#")[2], reason)
        return outcome is not None and outcome.ok

    def _holder(self, book: Book, page: AgentBook, light: Light, lines: Sequence[Way], *, again: bool) -> Holder:
        pane, core, since = page.pane, self._core, began(page)
        typed = max((way.begun for way in lines if way.was_typed), default=book.stamp.now)
        worked = worked_at(page.facts(managed=True, light_since=light.since), book.stamp.now)
        heard = [light.since, *(way.since for way in self._deliverer.of(page.role) if way.was_typed)]
        return Holder(
            state=page.state,
            able=pane is not None
            and not page.dead
            and not pane.in_mode
            and not page.auth
            and page.screen not in _NO_LINE
            and not any(core.acts.under_way(kind, page.role) for kind in _ACTS),
            free=self._deliverer.free(page.role),
            heard=max(heard if worked is None else [*heard, worked]),
            again=again,
            resumed=since is not None and typed < since and _took_up(page, since),
        )

    def _text(self, book: Book, light: Light, move: Move, lines: Sequence[Way]) -> str:
        giver = giver_of(book, light)
        if move is Move.REMIND:
            return reminder_line(book.settings.handoff, light, giver)
        if move is Move.RETRY:
            return lines[-1].delivery.text  # the very same: it may stand in the input, and want its Enter alone
        return light_line(book.settings.handoff, light, giver)

    # looking whether a line can be typed

    def _is_clear(self, book: Book, light: Light, lines: Sequence[Way], watched: _Watched) -> bool:
        """Return whether nothing is in the way of a line that was refused; look, if that is not known."""
        now = book.stamp.now
        if watched.clear is not None and now - watched.clear <= CLEAR_S:
            return True
        watched.clear = None
        page = book.agent(light.role)
        knows = (page.state, page.screen)
        due = max(way.begun for way in lines) + telling.PROBE_S
        due = due if knows != watched.saw else max(due, watched.due)
        if not watched.looking and now >= due and self._core.acts.effects is not None:
            watched.looking, watched.saw = True, knows
            self._core.spawn(self._look(light.role, watched, telling.refusals(lines)), f"look at {light.role}")
        return False

    async def _look(self, role: Role, watched: _Watched, refused: int) -> None:
        core = self._core
        try:
            why = "teamops is still starting" if core.acts.effects is None else await core.acts.effects.hindrance(role)
        finally:
            watched.looking = False
        now = core.book.stamp.now
        watched.looks = watched.looks + 1 if why else 0
        watched.clear = None if why else now
        watched.due = now + telling.probe_s(watched.looks + refused)

    # findings

    def findings(self, book: Book) -> list[Finding]:
        """Return a finding for each light whose lines nobody is known to have taken."""
        found = []
        for key, light in book.lights.items():
            reason = self._core.announcer.told_as(key, light)
            lines = self._deliverer.lines(book, reason, light.role) if reason else None
            if not lines:  # a role that is no agent's, too
                continue
            page = book.agent(light.role)
            if not telling.given_up(lines, book.settings.limits, began(page)):
                continue
            worked = worked_at(page.facts(managed=True, light_since=light.since), book.stamp.now)
            alive = page.pane is not None and not page.dead
            if alive and not any(at is not None and at > lines[-1].begun for at in (worked, page.past.worked)):
                found.append(telling.unproven_finding(light, telling.in_vain(lines, began(page))))
        return found


def _took_up(page: AgentBook, since: float) -> bool:
    """Return whether an agent that was restarted has shown work since its process began: it knows of its light.

    What its client writes into its log while it starts is no work.
    """
    signs = [at for at in (page.worked, page.past.worked) if at is not None and at > since]
    return bool(signs) or (page.grew is not None and page.grew > since + START_S)
