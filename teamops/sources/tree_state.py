"""A work tree as it was when it was last looked at, and what is different now.

Blocks, and asks git: call it in a thread, one call at a time.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Container, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from pathspec import GitIgnoreSpec

from teamops.domain.client_files import EXCLUDE, MADE
from teamops.domain.git_places import is_gits, is_planted
from teamops.git.index import Exclusion
from teamops.git.repository import Repository
from teamops.model.boundary import FileChange, FileKind, FileState
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.sources.acts import UNKNOWN, Counted
from teamops.sources.gits_own import GitsOwn
from teamops.sources.guarded import GUARDED_FOLDERS, guarded, guarded_in, is_as_made, is_same_but_for_ours
from teamops.sources.kept_bytes import KeptBytes, read_kept, read_state
from teamops.sources.tree_facts import (
    Facts,
    Looked,
    facts_of,
    folders_above,
    is_below_link,
    is_folder,
    is_same,
    kind_of,
    spec_of,
    stands_since,
)

STALE_S = 60.0
COARSE_S = 0.05
MAX_FILES = 200_000
MAX_CHANGES = 10_000
"""So many changes at most are told by one look; the others by the next."""
_OURS = (".teamops",)
_NEVER = frozenset({".git", "node_modules", "__pycache__"})
"""Folders that are left out where there is no git to say what counts."""
_MAX_PLAIN = 1 << 20
"""Where git holds nothing, only the bytes of files up to this are kept."""


@dataclass(slots=True)
class _Known:
    state: FileState
    facts: Facts | None
    """Mode, size, both times of its last change (ns; the second can't be set by a user) and inode."""
    again: bool = False
    """It is to be read in any case. Times are coarse: what was read just after a change may change again unseen."""


Writers = Mapping[str, tuple[Role, ...]]


class TreeState:
    """What is known of one work tree."""

    def __init__(self, root: Path, store: Path, leave: Iterable[Path] = ()) -> None:
        """``store``: where bytes are kept. ``leave``: what teamops writes itself, handoff files among it."""
        self.root = root.resolve()
        self._kept = KeptBytes(store)
        self._leave = tuple(leave)
        self._left = Exclusion.of(self.root, self._leave)
        self._repository: Repository | None = None
        self._known: dict[str, _Known] = {}
        self._ignored: frozenset[str] = frozenset()
        self._own: set[str] = set()
        """Folders in which this tree's own files were: another repository that comes there hides nothing."""
        self._gits = GitsOwn(self.root, self._own)
        self._neutral: set[str] = set()
        """Files of git's own in which nothing stands that git would go by."""
        self._plain = GitIgnoreSpec.from_lines(())
        self._stale: dict[str, float] = {}
        """Digests that nothing stands for any more, and since when (Unix seconds)."""
        self.trouble = ""

    def begin(self) -> None:
        """Take the tree as it is now. Raises ``TeamopsError`` where git fails."""
        begun = time.time()
        self._kept.begin()
        self._repository = Repository.find(self.root)
        self._gits.begin()
        self._read_ignored()
        held: dict[str, str] = {}
        if self._repository is not None:
            held = self._repository.held(self._leave)
        exact = self._repository is not None and not self._repository.converts()
        self._known = {}
        for path in self._all(held):
            known = self._known[path] = self._taken(path, held.get(path, "") if exact else "")
            if known.facts is not None and known.facts[3] / 1e9 >= begun - COARSE_S:
                known.again = True  # git may have seen another one, or it may change again unseen
            if self._is_neutral(path):
                self._neutral.add(path)
        self._own.update(above for path in self._known for above in folders_above(path))

    def folders(self) -> list[str]:
        """Return the folders to watch, absolute, by what git ignores now. Raises ``TeamopsError`` where git fails."""
        if self._repository is None:
            self._repository = Repository.find(self.root)
        self._gits.find()
        return self._read_ignored()

    def look(
        self,
        names: AbstractSet[str],
        writers: Writers,
        wall: float,
        *,
        settled: bool,
        adopt: float | None = None,
        acts: Counted = UNKNOWN,
    ) -> Looked:
        """Return what changed of ``names``.

        ``writers``: who had a file open, by its absolute path. ``settled``: what came or went just now is told at
        once. ``adopt``: what was not known and was there before that moment (Unix seconds) is no change, for git has
        ignored it until now. ``acts``: what came upon each since the last look.

        Raises ``TeamopsError`` where git fails.
        """
        folders = self._new_folders({name for name in names if name not in self._known})
        paths = {path for path in names if path in self._known}
        fresh: set[str] = set()
        for path in self._below(names - paths, folders):
            (paths if path in self._known else fresh).add(path)
        foreign: dict[str, bool] = {}
        fresh = {path for path in fresh if not any(self._is_foreign(above, foreign) for above in folders_above(path))}
        ignored = self._ignored_of(fresh)
        paths |= {path for path in fresh if path not in ignored or guarded(path)}
        paths = {path for path in paths if not self._is_no_change(path)}
        changes: list[FileChange] = []
        ages: dict[str, float] = {}
        links: dict[str, bool] = {}
        again = set() if settled else {name for name in names if name in folders}
        more = False
        for path in sorted(paths):
            if self.leaves(path):
                continue
            if len(changes) >= MAX_CHANGES:
                more = True
                break
            known = self._known.get(path)
            facts = None if is_below_link(self.root, path, links) else facts_of(f"{self.root}/{path}")
            if known is not None and not known.again and known.facts is not None and known.facts == facts:
                continue
            if known is None and facts is None:
                continue  # it came and went
            since = wall if facts is None else stands_since(self.root, path, facts, ages, came=known is None)
            if known is None and adopt is not None and since < adopt:
                self._known[path] = self._taken(path, "")
                continue
            if not settled and (known is None or facts is None):
                again.add(path)
                continue
            change = self._change(path, known, facts, writers, wall, since)
            if change is not None:
                moved = (known is None or facts is None) and any(one in names for one in folders_above(path))
                single, counts = acts.single(path, moved=moved), path not in ignored and not is_gits(path)
                changes.append(replace(change, single=single, counts=counts))
        self._drop_stale(wall)
        watched = [f"{self.root}/{path}" for name in sorted(folders) for path in (name, *self._folders_below(name))]
        return Looked(tuple(changes), frozenset(again), tuple(dict.fromkeys(watched)), more)

    def gits_own(self) -> frozenset[str]:
        """Return what is looked at of git's own. It is looked at by itself, and without git: that may be what broke."""
        self._gits.find()
        return frozenset({*self._gits.now(), *(path for path in self._known if is_gits(path))})

    def look_all(self, writers: Writers, wall: float, *, adopt: float | None = None, acts: Counted = UNKNOWN) -> Looked:
        """Return all that changed, by looking at every file. Raises ``TeamopsError`` where git fails."""
        self._read_ignored()
        return self.look({*self._all(), *self._known}, writers, wall, settled=True, adopt=adopt, acts=acts)

    def leaves(self, path: str) -> bool:
        """Return whether ``path`` is teamops' own, and no agent's work."""
        first = path.partition("/")[0]
        if is_gits(path):
            return not self._gits.has(path)
        return first in _OURS or self._left.has(path)

    def bytes_of(self, state: FileState) -> bytes | None:
        """Return what a file held; ``None`` where nobody knows any more."""
        if state.kept.startswith("git:"):
            if self._repository is None:
                return None
            try:
                raw = self._repository.blob(state.kept.removeprefix("git:"))
            except TeamopsError:
                return None
            # where it is not as long, git writes it into the tree in another way than it holds it
            return raw if len(raw) == state.size else None
        return read_kept(state)

    # inside

    def _read_ignored(self) -> list[str]:
        if self._repository is not None:
            self._ignored = frozenset(self._repository.ignored_folders())
            self._own |= self._repository.folders()
        else:
            try:
                lines = (self.root / ".gitignore").read_text("utf-8", "replace").splitlines()
            except OSError:
                lines = []
            self._plain = spec_of(lines)
        found = list(self._walk("", folders=True))
        for more in (*GUARDED_FOLDERS, *self._gits.folders()):
            if (self.root / more).is_dir() and f"{self.root}/{more}" not in found:
                found.append(f"{self.root}/{more}")
        return found

    def _walk(self, start: str, *, folders: bool) -> Iterator[str]:
        """Yield the folders (absolute) or the files (in the tree) from ``start`` on, without what is left out."""
        count, waiting = 0, [start]
        while waiting:
            at = waiting.pop()
            if folders:
                yield f"{self.root}/{at}".rstrip("/")
            try:
                entries = list(os.scandir(f"{self.root}/{at}"))
            except OSError:
                continue
            for entry in entries:
                name = f"{at}/{entry.name}" if at else entry.name
                try:
                    is_dir = entry.is_dir(follow_symlinks=False)
                except OSError:
                    continue
                if not is_dir:
                    if not folders:
                        yield name
                elif not self._skips(name):
                    waiting.append(name)
                count += 1
                if count > MAX_FILES:
                    self.trouble = f"only {MAX_FILES} files and folders are looked at: name in .gitignore what is none"
                    return

    def _skips(self, name: str) -> bool:
        last = name.rpartition("/")[2]
        if last == ".git" or name in _OURS or name in self._ignored:
            return True
        if self._repository is None:
            return last in _NEVER or self._plain.match_file(f"{name}/")
        return self._is_foreign(name, {})

    def _is_foreign(self, folder: str, asked: dict[str, bool]) -> bool:
        """Return whether a folder is another repository, its own work tree. ``asked``: what was answered already."""
        if folder not in asked:
            asked[folder] = folder not in self._own and os.path.lexists(f"{self.root}/{folder}/.git")
        return asked[folder]

    def _all(self, held: Container[str] = ()) -> set[str]:
        """Return every file that is to be known. ``held``: of these git is not asked, which takes long for many."""
        names = {*self._walk("", folders=False), *guarded_in(self.root), *self._gits.now()}
        ignored = self._ignored_of({name for name in names if name not in self._known and name not in held})
        return {name for name in names if (name not in ignored or guarded(name)) and not self.leaves(name)}

    def _stays_neutral(self, path: str) -> bool:
        """Take it that a file by which neither git nor a client goes came, went or is another: that is no change."""
        if path in self._known and path not in self._neutral:
            return False
        if not os.path.lexists(f"{self.root}/{path}"):
            self._neutral.discard(path)
            return self._known.pop(path, None) is not None
        if not self._is_neutral(path):
            self._neutral.discard(path)
            return False
        self._neutral.add(path)
        self._known[path] = self._taken(path, "")
        return True

    def _is_no_change(self, path: str) -> bool:
        if is_gits(path):
            return self.leaves(path) or self._stays_neutral(path) or self._is_same_but_for_ours(path)
        return path in MADE and self._stays_neutral(path)

    def _is_neutral(self, path: str) -> bool:
        return self._gits.is_neutral(path) if is_gits(path) else path in MADE and is_as_made(self.root, path)

    def _is_same_but_for_ours(self, path: str) -> bool:
        known = self._known.get(path) if path.endswith(f"/{EXCLUDE}") else None
        if known is None or not is_same_but_for_ours(self.root, path, self.bytes_of(known.state)):
            return False
        self._known[path] = self._taken(path, "")
        return True

    def _new_folders(self, names: set[str]) -> set[str]:
        """Return which of ``names`` are folders now, and to be looked into."""
        found = {name for name in names if is_folder(f"{self.root}/{name}")}
        found = {name for name in found if self._looks_into(name) or not self._skips(name)}
        ignored = self._ignored_of(found)
        self._ignored |= {name for name in ignored if not self._looks_into(name)}
        return {name for name in found if name not in ignored or self._looks_into(name)}

    def _looks_into(self, name: str) -> bool:
        """Return whether a folder is looked into though git ignores it or keeps it to itself."""
        return name in GUARDED_FOLDERS or (is_gits(name) and self._gits.looks_into(name))

    def _folders_below(self, name: str) -> list[str]:
        if is_planted(name):
            return []
        return [path.removeprefix(f"{self.root}/") for path in self._walk(name, folders=True)]

    def _below(self, names: AbstractSet[str], folders: AbstractSet[str]) -> Iterator[str]:
        """Yield the files that ``names``, none of them known, stand for: itself, or all in a folder that is or was."""
        were: set[str] = set()
        for name in names:
            if name in folders and is_planted(name):
                yield from (one for one in (f"{name}/HEAD",) if os.path.lexists(f"{self.root}/{one}"))
            elif name in folders:
                yield from self._walk(name, folders=False)
            elif os.path.lexists(f"{self.root}/{name}") and not is_folder(f"{self.root}/{name}"):
                yield name
                continue
            were.add(name)
        if were:
            yield from [path for path in self._known if any(above in were for above in folders_above(path))]

    def _ignored_of(self, names: set[str]) -> frozenset[str]:
        inside = {name for name in names if any(name.startswith(f"{one}/") for one in self._ignored) or is_gits(name)}
        links: dict[str, bool] = {}
        rest = [name for name in names - inside if not is_below_link(self.root, name, links)]
        if self._repository is None:
            return frozenset(inside | {name for name in rest if self._plain.match_file(name)})
        return frozenset(inside | self._repository.ignored(rest))

    def _taken(self, path: str, oid: str) -> _Known:
        """Take a file as it is now."""
        full = f"{self.root}/{path}"
        facts = facts_of(full)
        if facts is None:
            return _Known(FileState(), None)
        if oid and stat.S_ISREG(facts[0]):
            state = FileState(kind=FileKind.FILE, mode=stat.S_IMODE(facts[0]), size=facts[1], kept=f"git:{oid}")
            return _Known(state, facts)
        return _Known(self._keep(full)[0], facts)

    def _keep(self, full: str) -> tuple[FileState, bytes | None]:
        state, raw = read_state(full)
        if raw is None or (self._repository is None and len(raw) > _MAX_PLAIN):
            return state, raw
        return replace(state, kept=self._kept.keep(raw, state.digest)), raw

    def _change(
        self, path: str, known: _Known | None, facts: Facts | None, writers: Writers, wall: float, since: float
    ) -> FileChange | None:
        full = f"{self.root}/{path}"
        before = known.state if known is not None else FileState()
        after, raw = self._keep(full) if facts is not None else (FileState(), None)
        if after.kind is FileKind.NOTHING:
            if known is not None:
                del self._known[path]
        else:
            coarse = facts is not None and abs(wall - facts[3] / 1e9) < COARSE_S
            self._known[path] = _Known(after, facts, coarse)
        if before.kind is FileKind.NOTHING and after.kind is FileKind.NOTHING:
            return None
        unread = raw is None and not before.digest and not before.kept
        if is_same(before, after, raw) or (unread and known is not None and known.facts == facts):
            if before.kept.startswith("git:"):
                self._known[path].state = before
            return None
        return FileChange(
            path=path,
            change=kind_of(before, after),
            before=before,
            after=after,
            since=min(since, wall),
            writers=writers.get(full, ()),
        )

    def _drop_stale(self, wall: float) -> None:
        """Keep bytes of files that are others by now for a while: who judges a change reads them."""
        used = {known.state.digest for known in self._known.values()}
        self._stale = {digest: self._stale.get(digest, wall) for digest in self._kept.digests - used}
        self._kept.drop({digest for digest, since in self._stale.items() if wall - since > STALE_S})
        self.trouble = self._kept.trouble or self.trouble
