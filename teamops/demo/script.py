"""Where the demo's tasks stand, whose turn it is, and which task is opened next. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from teamops.demo.stories import CONSULTATIONS, PIPELINE, STORIES, Story
from teamops.model.role import DEVELOPER, DIRECTOR, HUMAN, IMPLEMENTERS, NONE, OPTIMIZER, REVIEWER, Role

MOST_SIGN_OFFS = 2
"""So many tasks may wait for the person; then no further task is opened that would end there."""

BUILDERS = (*IMPLEMENTERS, OPTIMIZER)
"""Whoever changes code."""

_LATER = re.compile(r"-\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the script needs to know of one block."""

    role: Role
    task: str | None
    turn: Role | None
    """``None``: the block left the light where it was."""
    tier: int | None = None
    verdict: str = ""
    points: tuple[tuple[int, str], ...] = ()
    """A review's challenges: their numbers and first words."""
    answers: tuple[int, ...] = ()
    """Numbers under its Responses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A block to be written."""

    role: Role
    task: str | None
    tier: int
    turn: Role
    status: str
    sections: tuple[tuple[str, str], ...]
    files: tuple[str, ...] = ()
    """What the work on it looks at."""
    verdict: str | None = None
    gates: str | None = None
    opens: bool = False
    """It opens a task: quickly written, for there is no work in it yet."""


@dataclass(frozen=True, slots=True)
class Thread:
    """One task: its blocks since it was opened (again), and who holds its light."""

    task: str | None
    entries: tuple[Entry, ...]
    holder: Role | None
    tier: int | None = None
    """The highest that was named; only the person lowers it."""

    @property
    def active(self) -> bool:
        """An agent holds the light."""
        return self.holder is not None and self.holder not in {NONE, HUMAN}

    @property
    def built(self) -> bool:
        """There is code of this task to look at."""
        return any(entry.role in BUILDERS for entry in self.entries)

    @property
    def implementer(self) -> Role:
        """Who built it last; else who is to build it."""
        found = next((entry.role for entry in reversed(self.entries) if entry.role in IMPLEMENTERS), None)
        story = story_of(self.task)
        planned = story.worker if story is not None and story.worker in IMPLEMENTERS else None
        return found or planned or DEVELOPER

    @property
    def passed(self) -> bool:
        """A review has let something through, or the person stood in for one."""
        return any(
            (entry.role == REVIEWER and entry.verdict and not asks_for_changes(entry.verdict))
            or (entry.role == HUMAN and entry.turn in IMPLEMENTERS)
            for entry in self.entries
        )

    @property
    def owed(self) -> Mapping[int, str]:
        """Challenges that the DIRECTOR has not answered yet, by number."""
        found: dict[int, str] = {}
        for entry in self.entries:
            if entry.role == REVIEWER:
                found.update(entry.points)
            elif entry.role == DIRECTOR:
                found = {number: words for number, words in found.items() if number not in entry.answers}
        return found

    @property
    def numbered_to(self) -> int:
        """The highest number of a challenge so far: the next review goes on from it."""
        return max((number for entry in self.entries for number, _ in entry.points), default=0)

    def sent_back(self, *, built: bool) -> int:
        """Return how often a review of the design (or, with ``built``, of the code) asked for changes."""
        seen_build = False
        count = 0
        for entry in self.entries:
            seen_build = seen_build or entry.role in BUILDERS
            if entry.role == REVIEWER and seen_build is built and asks_for_changes(entry.verdict):
                count += 1
        return count


def asks_for_changes(verdict: str) -> bool:
    """Return whether a verdict sends the work back."""
    return "change" in verdict.lower()


def section_for(role: Role) -> str:
    """Return the title of the message to ``role``."""
    return f"For {role.capitalize()}"


def numbered(lines: Iterable[str], after: int = 0) -> str:
    """Return ``lines`` as a list, numbered on from ``after``."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=after + 1))


def story_of(task: str | None) -> Story | None:
    """Return the story behind a task's name (a second telling has a number at its end), or ``None``."""
    name = (task or "").lower()
    return STORIES.get(name) or STORIES.get(_LATER.sub("", name))


def threads(entries: Iterable[Entry]) -> tuple[Thread, ...]:
    """Return the tasks in the order in which their lights were given, longest held first."""
    found: dict[str, Thread] = {}
    for entry in entries:
        key = (entry.task or "").lower()
        known = found.get(key) or Thread(entry.task, (), None)
        moved = entry.turn is not None and entry.turn != known.holder
        if moved:
            found.pop(key, None)
        before = () if known.holder == NONE and moved else known.entries
        found[key] = Thread(known.task, (*before, entry), entry.turn or known.holder, _tier(known, entry))
    return tuple(found.values())


def _tier(known: Thread, entry: Entry) -> int | None:
    if entry.tier is None or entry.role == HUMAN:
        return entry.tier or known.tier
    return max(entry.tier, known.tier or 0)


def turn_of(role: Role, tasks: Sequence[Thread]) -> Thread | None:
    """Return the task that ``role`` has to work on: of those whose light it holds, the one that waits longest."""
    return next((thread for thread in tasks if thread.holder == role), None)


def opening(tasks: Sequence[Thread], *, after: int = 0) -> Draft | None:
    """Return the block with which the DIRECTOR opens the next task, or ``None`` while there is enough to do.

    There is always one task in the pipeline, beside those that wait for the person, and before each one a question to
    a role outside it. ``after`` moves the beginning of the backlog.
    """
    told = [story for thread in tasks if (story := story_of(thread.task)) is not None]
    consulted = sum(story.consults for story in told)
    piped = len(told) - consulted
    active = [thread for thread in tasks if thread.active]
    consulting = any(_consults(thread) for thread in active)
    if not consulting and consulted <= piped:
        return _opened(_next_story(CONSULTATIONS, CONSULTATIONS, tasks, after), tasks)
    if not any(not _consults(thread) for thread in active):
        waiting = sum(thread.holder == HUMAN for thread in tasks)
        fit = [story for story in PIPELINE if story.tier != 3 or waiting < MOST_SIGN_OFFS]
        return _opened(_next_story(fit, PIPELINE, tasks, after), tasks)
    return None


def _consults(thread: Thread) -> bool:
    story = story_of(thread.task)
    return story is not None and story.consults


def _next_story(fit: Sequence[Story], order: Sequence[Story], tasks: Sequence[Thread], after: int) -> Story:
    """Return the story told least often, the earliest of those in the order that begins at ``after``.

    The first to be told is always of tier 2: it shows the pipeline in little time.
    """
    names = [story.task for thread in tasks if (story := story_of(thread.task)) is not None]
    turned = [*order[after % len(order) :], *order[: after % len(order)]]
    if not any(story.task in names for story in order):
        turned.sort(key=lambda story: story.tier != 2)
    return min((story for story in turned if story in fit), key=lambda story: names.count(story.task))


def _opened(story: Story, tasks: Sequence[Thread]) -> Draft:
    taken = {(thread.task or "").lower() for thread in tasks}
    name = story.task
    telling = 1
    while name in taken:
        telling += 1
        name = f"{story.task}-{telling}"
    if story.consults and story.worker is not None:
        sections: tuple[tuple[str, str], ...] = (
            ("What I Did", story.goal),
            (section_for(story.worker), numbered(story.plan)),
        )
        turn = story.worker
    else:
        sections = (("What I Did", f"Opened from the backlog. {story.goal}"),)
        turn = DIRECTOR
    return Draft(
        role=DIRECTOR,
        task=name,
        tier=story.tier,
        turn=turn,
        status="open",
        sections=sections,
        files=story.files,
        opens=True,
    )
