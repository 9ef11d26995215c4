"""What came to be in a role's turn, asked of git when it hands on: limits that single changes don't show."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from teamops.domain.attribution import Blame, Refusal, over_net
from teamops.domain.light_rows import light_rows
from teamops.effects.policies import MAX_TEXT
from teamops.git.repository import Differs, Repository
from teamops.guard.judge import DENY, Light
from teamops.guard.policy import NoPolicy, Policy
from teamops.model.boundary import ChangeKind, OwnWrite, Violation
from teamops.model.errors import TeamopsError
from teamops.model.events import HandoffChanged, SourceTroubled
from teamops.model.handoff import Block, Task
from teamops.model.role import HUMAN, NONE, Role
from teamops.sources.kept_bytes import read_state
from teamops.supervisor.book import Book
from teamops.supervisor.change_judge import Draft, Judged, Policies, decision_of, hint_of, refused, shown
from teamops.supervisor.turn_trees import TREES, Turn, drop, read, take, write

if TYPE_CHECKING:
    from teamops.domain.light import Light as Held
    from teamops.supervisor.core import Core

MAX_LISTED = 50
_KINDS = {"A": ChangeKind.CREATED, "D": ChangeKind.DELETED}
OVER = "seen as the light was handed on"
BEGUN = "seen as teamops began, while the light is held"
MISSED = "seen as teamops began; the light was handed on while it did not run"
ALL = "(all files)"
"""The path of a violation that is about a turn as a whole."""
NAME = "turn audit"


@dataclass(slots=True)
class _Ahead:
    """One thing to be done beside the loop."""

    do: Callable[[], object]
    then: Callable[[object], None] = field(default=lambda _: None)


class TurnAudit:
    """Takes the tree when a light comes, and judges what changed when it goes. One thing after the other, in threads.

    What changed while nobody watched is judged when a life begins, for the turns that an earlier one knew.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._turns: dict[str, Turn] = {}
        self._policies = Policies()
        self._ahead: deque[_Ahead] = deque()
        self._working = False
        self._troubled = False
        """What a turn changed could not be told."""
        self._kept: dict[str, Turn] | None = None
        """What an earlier life knew; ``None`` = not read yet."""
        self._event: HandoffChanged | None = None
        """The last one that came before that was read."""

    def see(self, book: Book, event: HandoffChanged, folder: Path) -> None:
        """Take the handoff file's new truth: lights came and went."""
        if self._kept is None:
            if self._event is None:
                self._do(partial(read, folder), lambda kept: self._begin_with(book, kept, folder))
            self._event = event
            return
        now = {f"{task}#{held.digest}": held for task, held in book.lights.items() if held.role not in {HUMAN, NONE}}
        over = [self._turns.pop(key) for key in self._turns.keys() - now.keys()]
        for turn in over:
            self._judge(book, turn, folder, OVER)
        for key in now.keys() - self._turns.keys():
            self._begin(book, key, now[key], event, folder)
        for key, turn in self._turns.items():
            near = {other.role for other in self._turns.values() if other.root == turn.root} - {turn.role}
            self._turns[key] = replace(turn, others=turn.others | near)
        for turn in over:
            self._do(partial(self._forget, turn, folder), _nothing)

    def _begin_with(self, book: Book, kept: object, folder: Path) -> None:
        """Go on from what an earlier life knew: turns that ended meanwhile are judged, those that go on, too."""
        self._kept = cast("dict[str, Turn]", kept)
        event, self._event = self._event, None
        if event is None:
            return
        self.see(book, event, folder)
        for key, turn in self._kept.items():
            if key in self._turns:
                self._judge(book, self._turns[key], folder, BEGUN)
            else:
                # What whoever wrote a block since may change is none's violation: they held lights, too.
                authors = _authors_since(event.handoff.blocks, key.rpartition("#")[2])
                near = {other.role for other in self._turns.values() if other.root == turn.root}
                self._judge(book, replace(turn, others=turn.others | near | authors - {turn.role}), folder, MISSED)
                self._do(partial(self._forget, turn, folder), _nothing)
        self._kept = {}

    def _begin(self, book: Book, key: str, held: Held, event: HandoffChanged, folder: Path) -> None:
        own = book.settings.role(held.role)
        if own is None or own.profile is None:
            return
        project, cwd = book.settings.root.resolve(), own.cwd.resolve()
        root = project if cwd.is_relative_to(project) else cwd
        known = (self._kept or {}).get(key)
        if known is not None and known.root == str(root):
            self._turns[key] = known
            return
        tiers = tuple(one.tier for one in book.held_by(held.role) if one.tier is not None)
        self._turns[key] = Turn(role=held.role, root=str(root), wall=event.stamp.wall, tiers=tiers)
        tasks, blocks, handoff = book.protocol.tasks, event.handoff.blocks, book.settings.handoff

        def begin() -> tuple[str, str, tuple[str, ...]] | None:
            if key not in self._turns:
                return None  # over before it was its turn here
            return (*take(root, handoff, folder), _named(handoff, tasks, blocks, held.role))

        def keep(told: object) -> None:
            if not isinstance(told, tuple):
                return
            if key not in self._turns:
                self._do(partial(drop, folder, told[1]), _nothing)
                return
            self._turns[key] = replace(self._turns[key], tree=told[0], place=told[1], named=told[2])
            self._do(partial(write, folder, dict(self._turns)), _nothing)

        self._do(begin, keep)

    def _judge(self, book: Book, turn: Turn, folder: Path, seen: str) -> None:
        """Judge what changed in a turn. What is a violation already is not told twice. ``seen``: when, in words."""
        project, handoff = str(book.settings.root.resolve()), book.settings.handoff

        memory = self._core.memory
        own = memory.ask(book, partial(memory.boundaries.own_writes, turn.wall)) or ()

        def judge() -> Judged:
            told = {one.path for one in self._core.auditing.known if one.wall >= turn.wall}
            told |= _own_still(own, turn.root, project)
            wall = self._core.stamp().wall
            return judge_turn(turn, project, handoff, folder, wall, told, self._policies, seen)

        def store(judged: object) -> None:
            if isinstance(judged, Judged) and (judged.drafts or judged.unsaid):
                self._core.spawn(self._core.auditing.take(book, judged, undo=False), NAME)

        self._do(judge, store)

    def _forget(self, turn: Turn, folder: Path) -> None:
        """Take away what was kept for a turn that is judged: nothing that is kept of a violation is among it."""
        write(folder, dict(self._turns))
        drop(folder, turn.place)

    def _do(self, do: Callable[[], object], then: Callable[[object], None]) -> None:
        self._ahead.append(_Ahead(do, then))
        if not self._working:
            self._working = True
            self._core.spawn(self._work(), NAME)

    async def _work(self) -> None:
        try:
            while self._ahead:
                ahead = self._ahead.popleft()
                try:
                    told = await asyncio.to_thread(ahead.do)
                except TeamopsError as error:
                    said, self._troubled = f"what a turn changed can't be told: {error.message}", True
                    self._core.emit(SourceTroubled(self._core.stamp(), NAME, said, error.hint))
                    continue
                if self._troubled and ahead.then is not _nothing:
                    self._troubled = False
                    self._core.emit(SourceTroubled(self._core.stamp(), NAME, "", ""))
                ahead.then(told)
        finally:
            self._working = False


def _nothing(_: object) -> None:
    """Do nothing with what was told."""


def judge_turn(
    turn: Turn, project: str, handoff: Path, folder: Path, wall: float, told: set[str], policies: Policies, seen: str
) -> Judged:
    """Return what in a turn is past its role's boundary. Raises ``TeamopsError`` where git can't tell.

    ``told``: paths of which that is known already. ``seen``: when this is asked, in words; lines are counted of turns
    that are over.
    """
    judged = Judged()
    policy = policies.of(folder, turn.role)
    if isinstance(policy, NoPolicy):
        judged.unsaid = f"{turn.role}: {policy}"
    elif policy.get("unruled"):
        return judged
    repository = Repository.find(Path(turn.root)) if turn.tree and turn.place else None
    if repository is None:
        return judged
    changed = repository.turn_since(turn.tree, folder / TREES / turn.place, (handoff,))
    light = Light(held=True, tiers=turn.tiers, named=turn.named)
    others = [policies.of(folder, role) for role in turn.others]
    for one in changed:
        name = shown(turn.root, one.path, project)
        refusal = None if name in told else _refusal(turn, policy, light, one)
        kind = _KINDS.get(one.status, ChangeKind.CHANGED)
        if refusal is None or any(_may(other, kind, f"{turn.root}/{one.path}") for other in others):
            continue
        if len(judged.drafts) >= MAX_LISTED:
            judged.unlisted += 1
        else:
            judged.drafts.append(_draft(turn, name, kind, refusal, wall, one.added, one.removed, seen))
    most = None if isinstance(policy, NoPolicy) else policy["net_lines"]
    if most is not None and not turn.others and seen != BEGUN:
        lines = [(one.added, one.removed) for one in changed if one.added is not None and one.removed is not None]
        if why := over_net(lines, most):
            refusal = Refusal(rule="write.net_lines", why=why)
            added, removed = sum(each[0] for each in lines), sum(each[1] for each in lines)
            judged.drafts.append(_draft(turn, ALL, ChangeKind.CHANGED, refusal, wall, added, removed, seen))
    return judged


def _refusal(turn: Turn, policy: Policy | NoPolicy, light: Light, one: Differs) -> Refusal | None:
    """Return why the turn's role may not have made a change, or is to be told of it."""
    kind = _KINDS.get(one.status, ChangeKind.CHANGED)
    lines = max(one.added, one.removed) if one.added is not None and one.removed is not None else 1 << 30
    said = decision_of(policy, light, kind, f"{turn.root}/{one.path}", lines)
    if said is not None and said.verdict == DENY:
        return refused(said)
    return hint_of(said)


def _may(policy: Policy | NoPolicy, kind: ChangeKind, full: str) -> bool:
    said = decision_of(policy, Light(held=True), kind, full, 0)
    return said is None or said.verdict != DENY


def _draft(
    turn: Turn,
    name: str,
    kind: ChangeKind,
    refusal: Refusal,
    wall: float,
    added: int | None,
    removed: int | None,
    seen: str,
) -> Draft:
    evidence = (
        f"it differs from what was there when {turn.role} got the light (git diff); it may have been you",
        *([f"{', '.join(sorted(turn.others))} held a light here, too"] if turn.others else []),
    )
    roles = (turn.role, *sorted(turn.others))
    violation = Violation(
        id=0,
        wall=wall,
        path=name,
        change=kind,
        roles=roles,
        rule=refusal.rule,
        why=refusal.why,
        evidence=evidence,
        added=added,
        removed=removed,
        note=f"{seen}; what was there before is not kept",
    )
    return Draft(violation, "", Blame(roles=roles, refusal=refusal, evidence=evidence, sure=False))


def _own_still(own: Sequence[OwnWrite], root: str, project: str) -> set[str]:
    """Return what teamops wrote in a tree for the person and still stands so. Blocks."""
    return {
        shown(root, one.path[len(root) + 1 :], project)
        for one in own
        if one.path.startswith(f"{root}/") and not one.made_of and read_state(one.path)[0].digest == one.digest
    }


def _authors_since(blocks: Sequence[Block], digest: str) -> frozenset[Role]:
    """Return who wrote the blocks after the one that has this digest; of all where none has."""
    at = next((number for number, block in enumerate(blocks) if block.digest == digest), -1)
    return frozenset({block.role for block in blocks[at + 1 :]} - {HUMAN, NONE})


def _named(handoff: Path, tasks: Sequence[Task], blocks: Sequence[Block], role: Role) -> tuple[str, ...]:
    try:
        with handoff.open("rb") as file:
            rows = light_rows(
                tasks,
                blocks,
                lambda block: os.pread(file.fileno(), min(block.end - block.start, MAX_TEXT), block.start).decode(
                    "utf-8", "replace"
                ),
            )
    except OSError:
        return ()
    found: list[str] = []
    for row in rows:
        named = row.get("named")
        if row.get("role") == role and isinstance(named, list):
            found += [str(name) for name in named]
    return tuple(dict.fromkeys(found))
