"""Handed on means announced: the next agent is told once that it is its turn, whatever restarts in between.

What decides is a row in the ledger, claimed durably before anything is typed: of two processes one gets it. Here it is
decided that a light is told, and its first line is typed; whether that was taken, and what is typed again, is the
deliverer's part.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from teamops.domain.health import worked_at
from teamops.domain.light import Light
from teamops.model.actions import By, Outcome, Poke
from teamops.model.agent import AgentState
from teamops.model.handoff import Block
from teamops.model.protocol import KnownBlock
from teamops.model.role import HUMAN, Role
from teamops.model.snapshot import LogLine
from teamops.supervisor.book import Book
from teamops.supervisor.pokes import light_line

if TYPE_CHECKING:
    from teamops.supervisor.core import Core

POKED, OFF, NO_SESSION, OF_HUMAN, ADOPTED, ANSWERED = "poked", "off", "no session", "human", "adopted", "answered"
"""How a light was announced, as the ledger keeps it."""
SYNC_S = 2.0
"""So long a one-time announcement waits for its supervisor to have read the file as it is."""
FRESH_S = 5.0
"""A light younger than this is told to its holder whatever that one is busy with."""
_AS = f"{POKED} as "
"""Before the digest that a light had when its line was typed: its block has grown since, or was rewritten."""
_POLL_S = 0.02
_LATER = frozenset({AgentState.STARTING, AgentState.UNKNOWN, AgentState.DEAD})

Mark = tuple[str, Role]


@dataclass(slots=True)
class _Given:
    """The block that gave a light: it may still grow, and is the same."""

    index: int
    author: Role
    at: datetime | None
    holder: Role
    digest: str
    how: str

    def is_of(self, giver: Block, light: Light) -> bool:
        """Return whether ``light`` was given by the same block, which has grown since."""
        return (self.index, self.author, self.at, self.holder) == (giver.index, giver.role, giver.at, light.role)


class Announcer:
    """Decides for each light whether its holder is told. Belongs to the supervisor's loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._done: dict[str, Mark] = {}
        """By task, lower case: the light that needs no decision any more."""
        self._given: dict[str, _Given] = {}
        self._late: dict[str, Mark] = {}
        """Lights whose holder had no session when they came."""
        self._behind: dict[str, Mark] = {}
        """Lights that wait for the end of another line to their holder: what it works on meanwhile is that one's."""
        self._missed: dict[str, tuple[Mark, str]] = {}
        """Lights whose holder was not told, and why."""

    # what the supervisor that acts does each round

    def go_on(self, book: Book, *, counts: bool) -> None:
        """Decide about every light that is new; at each round of the clock see whether the missed ones were told."""
        if self._core.trail.unsettled:
            return  # half of the file may just be missing, and be back in a moment
        for key, light in book.lights.items():
            if self._done.get(key) != mark_of(light):
                self._decide(book, key, light)
        for gone in (self._done.keys() | self._missed.keys()) - book.lights.keys():
            for table in (self._done, self._given, self._late, self._behind, self._missed):
                table.pop(gone, None)
        if counts:
            for key in tuple(self._missed):
                self._look_back(book, key, book.lights[key])

    def missed(self, book: Book) -> list[tuple[Light, str]]:
        """Return the lights whose holder was not told and has not answered, and why."""
        return [
            (book.lights[key], why)
            for key, (mark, why) in self._missed.items()
            if key in book.lights and mark_of(book.lights[key]) == mark and not _answered(book, book.lights[key])
        ]

    def adopt(self, book: Book) -> None:
        """Take the lights of a file that is seen for the first time as they are: nobody is told of old news."""
        for light in book.lights.values():
            self._core.memory.announced.claim(book, light, OF_HUMAN if light.role == HUMAN else ADOPTED)

    def carry(self, book: Book, was: KnownBlock, now: Block) -> None:
        """Keep a light announced whose block was rewritten: it is no other for that."""
        memory, role = self._core.memory, now.turn
        if role is None:
            return
        how = memory.ask(book, partial(memory.audit.announced, was.task, was.digest, role))
        if how is not None:
            how = _as_before(how, was.digest)
            memory.store(book, partial(memory.audit.announce, now.task, now.digest, role, how, book.stamp.wall))

    # what the deliverer asks

    def decided(self, key: str, light: Light) -> bool:
        """Return whether nothing more is to be decided about a light."""
        return self._done.get(key) == mark_of(light)

    def told_as(self, key: str, light: Light) -> str:
        """Return the reason under which lines are typed about a light that its holder was to be told; else empty."""
        given = self._given.get(key)
        if given is None or not self.decided(key, light):
            return ""
        digest = _typed_as(given.how, given.digest)
        return reason_of(replace(light, digest=digest)) if digest else ""

    def after_restart(self, book: Book, role: Role, began: float) -> None:
        """Tell an agent that was restarted and is ready of the lights it holds, within the limit for each.

        ``began``: when its process did, observed seconds; work that it has shown since then says that it needs no word.
        """
        self._core.deliverer.tell_again(book, role, began)

    # deciding

    def _decide(self, book: Book, key: str, light: Light) -> None:
        giver = giver_of(book, light)
        if giver is not None and giver.role == light.role:
            self._done[key] = mark_of(light)  # kept, or taken up: nobody handed it on
            for table in (self._given, self._late, self._missed):
                table.pop(key, None)
            return
        memory = self._core.memory
        known = memory.ask(book, lambda: (memory.audit.announced(light.task, light.digest, light.role),))
        if known is None:
            return  # who can't read what was announced announces nothing
        given = self._given.get(key)
        if known[0] is not None:
            self._close(key, light, known[0], giver)
            if _typed_as(known[0], light.digest):
                self._look_back(book, key, light)
        elif given is not None and giver is not None and given.is_of(giver, light):
            how = _as_before(given.how, given.digest)  # its block has grown since
            memory.announced.claim(book, light, how)
            self._close(key, light, how, giver)
        elif (past := memory.announced.superseded(book, light)) is not None:
            if past:  # handed on long ago, and shown again by a file that has lost its end
                self._done[key] = mark_of(light)
                self._missed.pop(key, None)
            else:
                self._announce(book, key, light, giver)

    def _announce(self, book: Book, key: str, light: Light, giver: Block | None) -> asyncio.Future[Outcome] | None:
        """Claim the light and tell its holder; ``None`` where nothing is typed (now)."""
        how = self._how(book, key, light)
        claimed = None if how is None else self._core.memory.announced.claim(book, light, how)
        if how is None:
            return None
        if claimed is None:
            self._missed[key] = (mark_of(light), "the ledger can't be written, and without it nobody is told twice")
            return None
        self._close(key, light, how, giver)
        self._missed.pop(key, None)
        if how != POKED or not claimed:
            return None
        text = light_line(book.settings.handoff, light, giver)
        future = self._core.acts.begin(Poke(role=light.role, text=text, by=By.RULE, reason=reason_of(light)))
        future.add_done_callback(partial(self._see_end, key, light))
        return future

    def _how(self, book: Book, key: str, light: Light) -> str | None:
        """Return how a light is to be announced; ``None``: not yet."""
        settings = book.settings.role(light.role)
        if light.role == HUMAN:
            return OF_HUMAN
        if settings is None or not book.manages(light.role):
            return NO_SESSION
        if not (book.settings.auto_poke and settings.auto_poke):
            return OFF
        if self._core.acts.under_way(Poke, light.role) or not self._core.deliverer.free(light.role):
            self._behind[key] = mark_of(light)
            return None
        # An agent that is still busy with something else when the light comes has not answered it.
        behind = self._behind.get(key) == mark_of(light)
        if not behind and book.stamp.now - light.since > FRESH_S and _answered(book, light):
            return ANSWERED
        page, late = book.agent(light.role), self._late.get(key) == mark_of(light)
        if not book.looked:
            return None
        if page.pane is None or page.dead:
            why = "its agent is dead" if page.pane is not None else f'it has no session "{settings.session}"'
            if not late:
                self._late[key] = mark_of(light)
                book.note(LogLine(book.stamp.wall, "source", f"not told of its light: {why}", light.role, ok=False))
            self._missed[key] = (mark_of(light), why)
            return None
        if late and page.state in _LATER:
            return None  # just begun: it may read the file by itself
        return POKED

    def _close(self, key: str, light: Light, how: str, giver: Block | None) -> None:
        self._done[key] = mark_of(light)
        self._late.pop(key, None)
        self._behind.pop(key, None)
        if giver is not None:
            self._given[key] = _Given(giver.index, giver.role, giver.at, light.role, light.digest, how)

    def _see_end(self, key: str, light: Light, future: asyncio.Future[Outcome]) -> None:
        if not future.cancelled() and not future.result().ok:
            self._missed[key] = (mark_of(light), future.result().message)

    def _look_back(self, book: Book, key: str, light: Light) -> None:
        """See what became of a light that is announced: a person may have poked, teamops may have been killed."""
        if self._done.get(key) != mark_of(light) or self._core.acts.under_way(Poke, light.role):
            return
        given = self._given.get(key)
        digest = _typed_as(given.how, given.digest) if given is not None else ""
        if not digest:
            self._missed.pop(key, None)  # that was another light
            return
        reason = reason_of(replace(light, digest=digest))
        lines = self._core.deliverer.lines(book, reason, light.role) or []
        outcome = self._core.memory.announced.last_poke(book, light, digest, reason)
        if any(way.proven for way in lines) or (outcome is not None and outcome.ok):
            self._missed.pop(key, None)
        else:
            why = outcome.message if outcome is not None else "teamops ended before its line was typed"
            self._missed[key] = (mark_of(light), why)

    # once

    async def announce_now(self, task: str | None) -> Outcome | None:
        """Announce the light of a task at once; ``None`` where there is nothing to announce, or it was before."""
        core, book = self._core, self._core.book
        await _in_step(book)
        key = (task or "").lower()
        light = book.lights.get(key)
        if light is None or light.role == HUMAN:
            return None
        giver = giver_of(book, light)
        if giver is not None and giver.role == light.role:
            return None
        if core.memory.announced.superseded(book, light) is not False:
            return None
        while core.acts.under_way(Poke, light.role):
            await core.next_round()
        future = self._announce(book, key, light, giver)
        if future is not None:
            return await future
        why = self._missed.get(key)
        hint = "start it with r, or: teamops restart" if key in self._late else ""
        return None if why is None else Outcome(ok=False, message=f"{light.role} was not told: {why[1]}", hint=hint)


def reason_of(light: Light) -> str:
    """Return the reason of a poke that announces ``light``."""
    return f"light {light.task or ''}#{light.digest}"


def _answered(book: Book, light: Light) -> bool:
    """Return whether the holder of a light that nobody told of it works on since: that its pane prints says nothing."""
    page = book.agents.get(light.role)
    if page is None:
        return False
    facts = replace(page.facts(managed=True, light_since=light.since), printed=None)
    worked = worked_at(facts, book.stamp.now)
    return worked is not None and worked > light.since


def _as_before(how: str, digest: str) -> str:
    """Return how a light is announced that was announced ``how`` while its block had that digest."""
    return f"{_AS}{digest}" if how == POKED else how


def _typed_as(how: str, digest: str) -> str:
    """Return the digest that a poked light, now of ``digest``, had when its line was typed; empty = nobody typed it."""
    return digest if how == POKED else how.removeprefix(_AS) if how.startswith(_AS) else ""


def mark_of(light: Light) -> Mark:
    """Return what tells a light from the one before it."""
    return light.digest, light.role


def giver_of(book: Book, light: Light) -> Block | None:
    """Return the block that gave ``light`` to its holder."""
    task, blocks = book.protocol.task(light.task), book.handoff.blocks
    return blocks[task.since_index] if task is not None and task.since_index < len(blocks) else None


async def _in_step(book: Book) -> None:
    """Wait until the file was read as it is now."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SYNC_S
    while loop.time() < deadline:
        try:
            if book.settings.handoff.stat().st_size == book.handoff.size:
                return
        except OSError:
            return
        await asyncio.sleep(_POLL_S)
