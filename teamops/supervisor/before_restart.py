"""Before a restart: what stood there is kept, for the person who looks at it later and for the rule that decides."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from teamops.domain import login
from teamops.model.agent import AgentState
from teamops.model.errors import TeamopsError
from teamops.model.text import clean_line
from teamops.supervisor.agent_book import AgentBook
from teamops.supervisor.book import Book

if TYPE_CHECKING:
    from pathlib import Path

    from teamops.supervisor.core import Core

LOOK_S = 1.0
"""A screen that can't be read within this is not kept."""
GIT_S = 2.0
MAX_SCREEN = 20_000
DEAD_HISTORY = 60
"""More lines than a pane of ours has."""
"""Characters of a screen that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What stood there before a restart."""

    ending: str
    """How the old process ended, or in what state it is: "exit status 37", "lives, and is a zombie"."""
    screen: str = ""
    """Its last screen, cleaned."""
    notes: tuple[str, ...] = ()
    """The handoff file, its own last block, the work tree."""
    refused: str = ""
    """The line of its screen by which its account is refused; empty = there is none."""


def ending_of(page: AgentBook) -> str:
    """Return in words how the agent's process ended, or that it lives."""
    if page.health is AgentState.DEAD:
        return page.health_evidence.detail
    if page.pane is None or page.dead:
        return "no process"
    return f"lives, and is {page.health.value}"


async def look(core: Core, page: AgentBook) -> Before:
    """Return what stands there now. Takes at most some seconds, and fails never: what can't be known is left out."""
    book = core.book
    ending, handoff = ending_of(page), handoff_notes(book, page)
    screen, tree = await asyncio.gather(_screen(core, page), _tree_note(book))
    return Before(
        ending=ending,
        screen=screen,
        notes=(*handoff, *((tree,) if tree else ())),
        refused=clean_line(login.refused(screen), 200),
    )


async def _screen(core: Core, page: AgentBook) -> str:
    if core.server is None or page.pane is None:
        return ""
    try:
        async with asyncio.timeout(LOOK_S):
            # The line in which tmux says that the pane is dead has pushed the uppermost one off the screen.
            text = await core.server.capture(page.pane.pane_id, history=1 if page.dead else 0)
            if page.dead and not any(line and not line.startswith("Pane is dead") for line in text.split("\n")):
                text = await core.server.capture(page.pane.pane_id, history=DEAD_HISTORY)  # it was reset meanwhile
    except (TeamopsError, TimeoutError):
        return ""
    return text.rstrip()[-MAX_SCREEN:]


def handoff_notes(book: Book, page: AgentBook) -> tuple[str, ...]:
    """Return what is to be said of the handoff file, and of the agent's own last block in it."""
    if book.handoff_trouble is not None:
        return (f"handoff file: {book.handoff_trouble[0]}",)
    if not book.handoff.blocks:
        return ("handoff file: no block yet",)
    wrong = len(book.errors)
    notes = [f"handoff file: {wrong} error{'' if wrong == 1 else 's'}" if wrong else "handoff file: parses"]
    last = book.handoff.blocks[-1]
    if last.role == page.role:
        broken = [problem for problem in book.errors if last.line <= problem.line <= last.end_line]
        if broken:
            notes.append(f"its last block (line {last.line}) is not whole: {broken[0].message}")
        elif last.turn is None:
            notes.append(f"its last block (line {last.line}) is not whole: it gives the light to nobody")
    return tuple(notes)


async def _tree_note(book: Book) -> str:
    """Return how many files of the work tree are changed; empty where there is no repository, or it takes too long."""
    work = asyncio.create_task(asyncio.to_thread(_changed, book.settings.root, book.settings.handoff, book.stamp.wall))
    done, _ = await asyncio.wait({work}, timeout=GIT_S + 0.5)
    if not done:
        work.cancel()
        return "work tree: git takes too long"
    return work.result()


def _changed(root: Path, handoff: Path, wall: float) -> str:
    """Blocks: asks git."""
    from teamops.git.repository import Repository

    try:
        repository = Repository.find(root, GIT_S)
        if repository is None:
            return ""
        count = len(repository.changed_paths(repository.base_at(wall), (handoff,)))
    except (TeamopsError, OSError) as error:
        return f"work tree: {clean_line(str(error), 120)}"
    return "work tree: clean" if not count else f"work tree: {count} changed file{'' if count == 1 else 's'}"
