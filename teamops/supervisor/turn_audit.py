"""What came to be in a role's turn, asked of git when it hands on: limits that single changes don't show."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.domain.attribution import Blame, Refusal, over_net
from teamops.domain.light_rows import light_rows
from teamops.effects.policies import MAX_TEXT
from teamops.git.repository import Differs, Repository
from teamops.guard.judge import DENY, Light
from teamops.guard.policy import Policy
from teamops.model.boundary import ChangeKind, Violation
from teamops.model.errors import TeamopsError
from teamops.model.events import HandoffChanged, SourceTroubled
from teamops.model.handoff import Block, Task
from teamops.model.role import HUMAN, NONE, Role
from teamops.supervisor.book import Book
from teamops.supervisor.change_judge import Draft, Judged, Policies, decision_of, hint_of, shown

if TYPE_CHECKING:
    from teamops.domain.light import Light as Held
    from teamops.supervisor.core import Core

TREES = "trees"
"""The folder beside the ledger in which git's trees of work trees are kept, as they were when a light came."""
MAX_TREES = 1 << 30
MAX_LISTED = 50
_KINDS = {"A": ChangeKind.CREATED, "D": ChangeKind.DELETED}
ALL = "(all files)"
"""The path of a violation that is about a turn as a whole."""
NAME = "turn audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A role's turn: what the tree was like when it began."""

    role: Role
    root: str
    wall: float
    tree: str = ""
    """Git's; empty = not known."""
    tiers: tuple[int, ...] = ()
    named: tuple[str, ...] = ()
    """Files that others' blocks of the task name."""
    others: frozenset[Role] = frozenset()
    """Who else held a light in the same tree meanwhile."""


@dataclass(slots=True)
class _Ahead:
    """One thing to be done beside the loop."""

    do: Callable[[], object]
    then: Callable[[object], None] = field(default=lambda _: None)


class TurnAudit:
    """Takes the tree when a light comes, and judges what changed when it goes. One thing after the other."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._turns: dict[str, Turn] = {}
        self._policies = Policies()
        self._ahead: deque[_Ahead] = deque()
        self._working = False
        self._troubled = False
        """What a turn changed could not be told."""
        self._kept: dict[str, Turn] | None = None

    def see(self, book: Book, event: HandoffChanged, folder: Path) -> None:
        """Take the handoff file's new truth: lights came and went."""
        if self._kept is None:
            self._kept = _read(folder)
        now = {f"{task}#{held.digest}": held for task, held in book.lights.items() if held.role not in {HUMAN, NONE}}
        for key in self._turns.keys() - now.keys():
            self._end(book, self._turns.pop(key), folder)
        for key in now.keys() - self._turns.keys():
            self._begin(book, key, now[key], event, folder)
        for key, turn in self._turns.items():
            near = {other.role for other in self._turns.values() if other.root == turn.root} - {turn.role}
            self._turns[key] = replace(turn, others=turn.others | near)

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

        def take() -> tuple[str, tuple[str, ...]]:
            return _tree_of(root, handoff, folder), _named(handoff, tasks, blocks, held.role)

        def keep(told: object) -> None:
            if key in self._turns and isinstance(told, tuple):
                self._turns[key] = replace(self._turns[key], tree=told[0], named=told[1])
                _write(folder, self._turns)

        self._do(take, keep)

    def _end(self, book: Book, turn: Turn, folder: Path) -> None:
        """Judge what changed in a turn that is over. What is a violation already is not told twice."""
        told = {one.path for one in self._core.auditing.shown if one.wall >= turn.wall}
        project, handoff, wall = str(book.settings.root.resolve()), book.settings.handoff, book.stamp.wall

        def judge() -> Judged:
            return judge_turn(turn, project, handoff, folder, wall, told, self._policies)

        def take(judged: object) -> None:
            if isinstance(judged, Judged) and judged.drafts:
                self._core.spawn(self._core.auditing.take(book, judged, undo=False), NAME)

        self._do(judge, take)

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
                if self._troubled:
                    self._troubled = False
                    self._core.emit(SourceTroubled(self._core.stamp(), NAME, "", ""))
                ahead.then(told)
        finally:
            self._working = False


def judge_turn(
    turn: Turn, project: str, handoff: Path, folder: Path, wall: float, told: set[str], policies: Policies
) -> Judged:
    """Return what in a turn is past its role's boundary. Raises ``TeamopsError`` where git can't tell.

    ``told``: paths of which that is known already.
    """
    judged = Judged()
    policy = policies.of(folder, turn.role)
    repository = Repository.find(Path(turn.root)) if turn.tree and policy is not None else None
    if repository is None or policy is None or policy.get("unruled"):
        return judged
    changed = repository.turn_since(turn.tree, folder / TREES, (handoff,))
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
            judged.drafts.append(_draft(turn, name, kind, refusal, wall, one.added, one.removed))
    most = policy["net_lines"]
    if most is not None and not turn.others:
        lines = [(one.added, one.removed) for one in changed if one.added is not None and one.removed is not None]
        if why := over_net(lines, most):
            refusal = Refusal(rule="write.net_lines", why=why)
            added, removed = sum(each[0] for each in lines), sum(each[1] for each in lines)
            judged.drafts.append(_draft(turn, ALL, ChangeKind.CHANGED, refusal, wall, added, removed))
    return judged


def _refusal(turn: Turn, policy: Policy, light: Light, one: Differs) -> Refusal | None:
    """Return why the turn's role may not have made a change, or is to be told of it."""
    kind = _KINDS.get(one.status, ChangeKind.CHANGED)
    lines = max(one.added, one.removed) if one.added is not None and one.removed is not None else 1 << 30
    said = decision_of(policy, light, kind, f"{turn.root}/{one.path}", lines)
    if said is not None and said.verdict == DENY:
        return Refusal(rule=said.rule, why=said.why)
    return hint_of(said)


def _may(policy: Policy | None, kind: ChangeKind, full: str) -> bool:
    said = decision_of(policy, Light(held=True), kind, full, 0)
    return said is None or said.verdict != DENY


def _draft(
    turn: Turn, name: str, kind: ChangeKind, refusal: Refusal, wall: float, added: int | None, removed: int | None
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
        note="seen as the light was handed on; what was there before is not kept",
    )
    return Draft(violation, "", Blame(roles=roles, refusal=refusal, evidence=evidence, sure=False))


def _tree_of(root: Path, handoff: Path, folder: Path) -> str:
    repository = Repository.find(root)
    if repository is None:
        return ""
    trees = folder / TREES
    try:
        trees.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise TeamopsError(f"{trees} can't be made: {error.strerror or error}", "mend the folder's rights") from error
    return repository.work_tree((handoff,), trees, contents=True)


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


def _read(folder: Path) -> dict[str, Turn]:
    """Return the turns that an earlier life knew; nothing where they can't be read."""
    trees = folder / TREES
    with suppress(OSError):
        if sum(path.stat().st_size for path in trees.rglob("*")) > MAX_TREES:
            shutil.rmtree(trees, ignore_errors=True)
    try:
        told = json.loads((trees / "turns.json").read_bytes())
        return {key: _turn(row) for key, row in told.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _turn(row: Mapping[str, object]) -> Turn:
    named, tiers, others = row["named"], row["tiers"], row["others"]
    if not (isinstance(named, list) and isinstance(tiers, list) and isinstance(others, list)):
        raise TypeError("no turn")
    return Turn(
        role=Role(str(row["role"])),
        root=str(row["root"]),
        wall=float(str(row["wall"])),
        tree=str(row["tree"]),
        tiers=tuple(map(int, tiers)),
        named=tuple(map(str, named)),
        others=frozenset(Role(str(one)) for one in others),
    )


def _write(folder: Path, turns: Mapping[str, Turn]) -> None:
    rows = {
        key: {
            "role": turn.role, "root": turn.root, "wall": turn.wall, "tree": turn.tree, "tiers": list(turn.tiers),
            "named": list(turn.named), "others": sorted(turn.others),
        }
        for key, turn in turns.items() if turn.tree
    }  # fmt: skip
    path = folder / TREES / "turns.json"
    with suppress(OSError):  # the next life then begins with the tree as it finds it
        new = path.with_suffix(".new")
        new.write_text(json.dumps(rows), encoding="utf-8")
        new.replace(path)
