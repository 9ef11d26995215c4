"""The project's work tree, and agents' own: which files are others than before, told within half a second.

Folders are watched, without those that git ignores; what git ignores and no agent may change is looked at all the same.
Where the machine has no watches left, every file is looked at every few seconds instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.model.boundary import FileState
from teamops.model.errors import TeamopsError
from teamops.model.events import SourceTroubled, WorkTreeChanged
from teamops.model.role import Role
from teamops.sources.clock import Clock
from teamops.sources.inotify import CLOSE_WRITE, CREATE, DELETE, ISDIR, MOVED_FROM, MOVED_TO, OVERFLOW, Inotify
from teamops.sources.keeping import keep
from teamops.sources.kept_bytes import FOLDER
from teamops.sources.port import Emit
from teamops.usage.open_files import tree, written

if TYPE_CHECKING:  # the first frame does not pay for it
    from teamops.sources.acts import Counted
    from teamops.sources.tree_facts import Looked
    from teamops.sources.tree_state import TreeState, Writers

COALESCE_S = 0.05
"""Changes are collected for so long: a save is several, a checkout thousands."""
SETTLE_S = 0.3
"""What came or went is looked at again after so long: an editor's own file beside the one it saves comes and goes."""
ADOPTED_S = 3.0
"""What git no longer ignores is no change where it was there so long before anything was left to be looked at."""
POLL_S = 5.0
SWEEP_S = 60.0
"""So often every file of a watched tree is looked at all the same: what is written by another name of a file (a hard
link from elsewhere) or through memory (mmap) is told by nobody."""
POLL_SHARE = 50
"""A look at everything that takes long is made more seldom: so many times its own time lies between two."""
MAX_NAMES = 20_000
"""More names at once are not remembered singly: then everything is looked at."""
MAX_TOLD = 2000
"""So many changes at most are one event's; more of one moment are several events."""
_IGNORES = (".gitignore", "exclude")


class WorkTree:
    """Emits ``WorkTreeChanged``. ``roots``: the project's folder, and agents' own work trees."""

    name = "work tree"

    def __init__(
        self,
        roots: Iterable[Path],
        handoff: Path,
        folder: Path,
        clock: Clock,
        poll_s: float = POLL_S,
        after_s: float = 0.0,
        sweep_s: float = SWEEP_S,
    ) -> None:
        """``folder``: the project's in the person's state directory. ``after_s``: it begins so long after its start."""
        self._roots = tuple(roots)
        self._handoff = handoff
        self._folder = folder
        self._clock = clock
        self._poll_s = poll_s
        self._after_s = after_s
        self._sweep_s = sweep_s
        self._inotify = Inotify(self._seen)
        self._trees: list[_Tree] = []
        self._pids: dict[Role, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._troubles: dict[str, str] = {}
        self._emit: Emit = lambda _: None
        self.room: Callable[[], bool] = lambda: True
        """Says whether those that were told are judged, all but a few: only then more is looked at."""

    def watch(self, pids: Mapping[Role, int]) -> None:
        """Say which agents' processes may have files open, from now on."""
        self._pids = dict(pids)

    def is_ready(self) -> bool:
        """Every tree was looked at once and is watched."""
        return bool(self._trees) and all(one.ready for one in self._trees)

    def bytes_of(self, root: str, state: FileState) -> bytes | None:
        """Return what a file of a tree held; ``None`` where nobody knows any more. Blocks; in any thread."""
        return next((one.state.bytes_of(state) for one in self._trees if str(one.state.root) == root), None)

    async def start(self, emit: Emit) -> None:
        """Begin; the first look goes on beside."""
        self._emit = emit
        trouble = self._inotify.open()
        self._say("watching", self._lesser(trouble))
        self._tasks.append(asyncio.create_task(self._set_out(polled=bool(trouble)), name=self.name))

    async def _set_out(self, *, polled: bool) -> None:
        await asyncio.sleep(self._after_s)
        states = await asyncio.to_thread(self._states)
        self._trees += [_Tree(state, polled=polled) for state in states]
        for one in self._trees:
            work = keep(self.name, self._work(one), self._emit, self._clock)
            self._tasks.append(asyncio.create_task(work, name=self.name))

    def _states(self) -> list[TreeState]:
        from teamops.sources.tree_state import TreeState

        return [
            TreeState(root, self._folder / FOLDER / str(number), (self._handoff,))
            for number, root in enumerate(self._roots)
        ]

    async def stop(self) -> None:
        """End."""
        while self._tasks:  # the first one begins the others
            tasks, self._tasks = self._tasks, []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._inotify.close()

    def _work(self, one: _Tree) -> Callable[[], asyncio.Future[None]]:
        return lambda: asyncio.ensure_future(self._run(one))

    async def _run(self, one: _Tree) -> None:
        await self._begin(one)
        loop = asyncio.get_running_loop()
        due = loop.time() + self._every_s(one, 0.0)
        while True:
            try:
                async with asyncio.timeout_at(due):
                    await one.wake.wait()
            except TimeoutError:
                one.everything = True
            one.wake.clear()
            writers = await asyncio.to_thread(self._writers)  # at once: a file may be open for a moment only
            await asyncio.sleep(0 if one.settling else COALESCE_S)
            await self._until_judged(one)
            one.remember(writers, await asyncio.to_thread(self._writers), loop.time())
            writers = one.writers()
            names, one.names = one.names, set()
            acts = one.acts.take()
            settling, one.settling = one.settling, set()
            everything, one.everything = one.everything, False
            one.unsettled -= one.unsettled if everything else settling
            one.acts.go_on(acts, one.unsettled - names)
            adopt, one.adopt = one.adopt, False
            since, one.since = one.since or self._clock.stamp().wall, None
            old = since - ADOPTED_S if adopt else None
            begun = loop.time()
            try:
                if everything:
                    own = await asyncio.to_thread(one.state.gits_own)
                    await self._look(one, own, writers, acts, settled=True)
                    one.folders(await asyncio.to_thread(one.state.folders), self)
                    wall = self._clock.stamp().wall
                    looked = await asyncio.to_thread(one.state.look_all, writers, wall, adopt=old, acts=acts)
                    self._tell(one, looked, acts)
                    if looked.more:
                        one.since, one.adopt = since, one.adopt or adopt
                else:
                    for given, settled in _rounds(settling, names - settling):
                        await self._look(one, given, writers, acts, settled=settled)
                self._say("git", "")
            except TeamopsError as error:
                one.everything = True
                one.acts.lose()
                one.since, one.adopt = since, one.adopt or adopt
                self._say("git", f"what changed can't be told: {error.message}", error.hint)
                await asyncio.sleep(self._poll_s)
                one.wake.set()
            if everything:
                due = loop.time() + self._every_s(one, loop.time() - begun)

    async def _look(
        self, one: _Tree, names: AbstractSet[str], writers: Writers, acts: Counted, *, settled: bool
    ) -> None:
        wall = self._clock.stamp().wall
        look = asyncio.to_thread(one.state.look, names, writers, wall, settled=settled, acts=acts)
        self._tell(one, await look, acts)

    async def _until_judged(self, one: _Tree) -> None:
        """Wait while more changes are to be judged than are kept in memory. What is not looked at yet, is not lost."""
        if self.room():
            return
        said = "more is changed at once than can be judged: every file is looked at when that is done"
        self._say("storm", said)
        while not self.room():  # noqa: ASYNC110 - a number that others count
            await asyncio.sleep(COALESCE_S)
        one.everything = True
        self._say("storm", "")

    def _every_s(self, one: _Tree, took: float) -> float:
        """Return how long after a look at everything, that took so long, the next one is due."""
        return max(self._poll_s if one.polled else self._sweep_s, POLL_SHARE * took)

    async def _begin(self, one: _Tree) -> None:
        """Watch, then take the tree as it is, so that nothing in between is lost."""
        while True:
            try:
                one.folders(await asyncio.to_thread(one.state.folders), self)
                await asyncio.to_thread(one.state.begin)
                break
            except TeamopsError as error:
                self._say("git", f"what changes can't be told: {error.message}", error.hint)
                await asyncio.sleep(self._poll_s)
        self._say("git", "")
        one.ready = True

    def arm(self, one: _Tree, folder: str) -> None:
        """Watch a folder of a tree; where that can't be, the tree is polled from now on."""
        if one.polled:
            return
        if why := self._inotify.add(folder):
            one.polled = one.everything = True
            one.wake.set()
            self._say("watching", self._lesser(why))

    def _tell(self, one: _Tree, looked: Looked, acts: Counted) -> None:
        self._inotify.read()  # what came while it was looked at may be in what was seen, or not
        for folder in looked.folders:
            self.arm(one, folder)
        one.acts.go_on(acts, looked.again)
        one.unsettled |= looked.again
        if looked.again:
            asyncio.get_running_loop().call_later(SETTLE_S, one.settle, looked.again)
        if looked.changes:
            stamp, root, every = self._clock.stamp(), str(one.state.root), len(looked.changes)
            for start in range(0, every, MAX_TOLD):
                told = tuple(
                    replace(change, single=False) if change.path in one.acts else change
                    for change in looked.changes[start : start + MAX_TOLD]
                )
                self._emit(WorkTreeChanged(stamp, root, told, every - len(told)))
        if looked.more:
            one.everything = True
            one.wake.set()
        self._say("store", one.state.trouble, "a change past a boundary may not be undone; it is seen all the same")

    def _seen(self, folder: str, name: str, mask: int) -> None:
        """Take what inotify tells."""
        if mask & OVERFLOW:
            for one in self._trees:
                one.since = one.since or self._clock.stamp().wall
                one.everything = True
                one.acts.lose()
                one.wake.set()
            return
        path = f"{folder}/{name}"
        for one in self._trees:
            root = str(one.state.root)
            if not path.startswith(f"{root}/"):
                continue
            inside = path[len(root) + 1 :]
            if not mask & ISDIR:
                one.acts.see(inside, mask)
            if mask & CLOSE_WRITE:
                continue  # what was written was told
            one.since = one.since or self._clock.stamp().wall
            if mask & ISDIR and mask & (DELETE | MOVED_FROM):
                self._inotify.drop(path, below=bool(mask & MOVED_FROM))  # one that is deleted is empty
            elif mask & ISDIR and not mask & (CREATE | MOVED_TO):
                continue  # a folder's own rights or times
            if one.state.leaves(inside) and not mask & ISDIR:
                continue
            if name in _IGNORES or len(one.names) >= MAX_NAMES:
                one.everything = True
                one.adopt = one.adopt or name in _IGNORES
            else:
                one.names.add(inside)
            one.wake.set()

    def _writers(self) -> dict[str, tuple[Role, ...]]:
        """Return who has which file open to write."""
        found: dict[str, tuple[Role, ...]] = {}
        for role, pid in self._pids.items():
            for each in tree(pid):
                for path in written(each):
                    if role not in found.get(str(path), ()):
                        found[str(path)] = (*found.get(str(path), ()), role)
        return found

    def _lesser(self, why: str) -> str:
        return f"files are looked at every {self._poll_s:.0f} s instead of watched: {why}" if why else ""

    def _say(
        self, about: str, message: str, hint: str = "changes past a boundary are seen later than within a second"
    ) -> None:
        if self._troubles.get(about, "") != message:
            self._troubles[about] = message
            self._emit(SourceTroubled(self._clock.stamp(), f"{self.name} ({about})", message, hint))


def _rounds(settling: AbstractSet[str], names: AbstractSet[str]) -> Iterator[tuple[AbstractSet[str], bool]]:
    """Return what is looked at, one after the other: git's own first, for which git is not asked."""
    from teamops.domain.git_places import is_gits

    for gits in (True, False):
        for given, settled in ((settling, True), (names, False)):
            if found := {name for name in given if is_gits(name) is gits}:
                yield found, settled


class _Tree:
    """One tree, and what is to be looked at in it."""

    def __init__(self, state: TreeState, *, polled: bool) -> None:
        from teamops.sources.acts import Acts

        self.state = state
        self.names: set[str] = set()
        self.settling: set[str] = set()
        self.unsettled: set[str] = set()
        """What is to be looked at again and not yet due."""
        self.acts = Acts()
        self.everything = False
        self.adopt = False
        """What git ignores has changed: a file that is not new is no change."""
        self.since: float | None = None
        """When the first came of all that is still to be looked at; ``None`` = there is nothing."""
        self.polled = polled
        self.ready = False
        self.wake = asyncio.Event()
        self._open: list[tuple[float, Writers]] = []

    def folders(self, folders: Iterable[str], source: WorkTree) -> None:
        for folder in folders:
            source.arm(self, folder)

    def remember(self, early: Writers, late: Writers, now: float) -> None:
        """Keep who had what open, at the first change and after it, until what came just now is settled."""
        self._open = [(at, held) for at, held in self._open if now - at <= 2 * SETTLE_S]
        self._open += [(now, held) for held in (early, late) if held]

    def writers(self) -> dict[str, tuple[Role, ...]]:
        found: dict[str, tuple[Role, ...]] = {}
        for _, held in self._open:
            for path, roles in held.items():
                found[path] = tuple(dict.fromkeys((*found.get(path, ()), *roles)))
        return found

    def settle(self, names: Iterable[str]) -> None:
        self.settling.update(names)
        self.wake.set()
