"""A project's git repository as teamops asks it: its commit, the hash of its work tree, what changed since a moment.

Nothing is left in the repository: its index, stash, references and objects stay as they are. All methods block and may
be called in any thread; each is given up after ``seconds``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from teamops.git.command import SECONDS, Git, GitFailed, foreign_filters, has_git, joined
from teamops.git.index import (
    LINK,
    Exclusion,
    Listing,
    empty_tree,
    listing,
    outside,
    own_index,
    put_new,
    take,
    written_tree,
)
from teamops.model.protocol import DiffFile, DiffStat
from teamops.model.text import clean_line

DEEPEST = 4
"""Repositories within repositories are followed so far."""
MAX_CONTENT = 16 << 20
"""Of a greater file that git does not hold no contents are kept: it is left out of a turn."""
_OLDER = "only goes back to"
"""git's words for a moment before its log of HEAD."""

Files = Iterable[str | Path]
"""Handoff files, absolute or in the project's folder: they, their locks and archives, and ``.teamops/`` are no work."""


@dataclass(frozen=True, slots=True)
class Differs:
    """A file that differs from what it was."""

    path: str
    status: str
    """As git names it: A came, D went, M and T are others."""
    added: int | None
    """Lines; ``None`` = not known (binary, or very big)."""
    removed: int | None


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository that a project's folder belongs to, seen from that folder."""

    root: Path
    """The project's folder, resolved. What lies outside it is not looked at, though the repository may be greater."""
    prefix: str
    """The folder's path in the repository, with a slash at its end; empty at its top."""
    seconds: float = SECONDS

    @staticmethod
    def find(root: Path, seconds: float = SECONDS) -> Repository | None:
        """Return the repository that ``root`` lies in; ``None`` where git keeps no files of it.

        ``None`` also in a bare repository, in a ``.git`` folder, and in a folder that a repository around it ignores.
        Raises ``TeamopsError`` where git is not installed although there is a repository, or refuses it.
        """
        root = root.resolve()
        if not has_git():
            if any((folder / ".git").exists() for folder in (root, *root.parents)):
                raise GitFailed("there is no program git", "install git, or mend PATH")
            return None
        git = Git(root, time.monotonic() + seconds, seconds)
        try:
            code, out, _ = git.ask("rev-parse", "--is-inside-work-tree")
            prefix = git.line("rev-parse", "--show-prefix") if not code and out.strip() == b"true" else None
        except GitFailed as error:
            if "not a git repository" in error.said or "cannot use bare repository" in error.said:
                return None
            raise
        if prefix is None or (prefix and _ignored(git)):
            return None
        return Repository(root, prefix, seconds)

    def head(self) -> str:
        """Return the commit that is checked out; empty before the first one. Raises ``TeamopsError``."""
        return _head(self._begin())

    def work_tree(self, exclude: Files = (), trees: Path | None = None, *, contents: bool = False) -> str:
        """Return the git tree of all that lies in the project's folder now: new files too, ignored ones not.

        The same files give the same tree, committed or not. Other repositories below (submodules) count with what lies
        in them. ``trees``: a folder in which the tree itself is kept, for ``between``; ``contents``: with what git
        does not hold yet of its files, for ``turn_since``. Raises ``TeamopsError``.
        """
        git = self._begin()
        with self._own_index(git, trees) as (own, folder):
            exclusion = outside(Exclusion.of(self.root, exclude), folder, self.root)
            return _tree(own, self.prefix, exclusion, DEEPEST, contents=contents)

    def turn_since(self, base: str, trees: Path, exclude: Files = ()) -> tuple[Differs, ...]:
        """Return what differs between a tree that ``work_tree`` kept with its contents and the work tree now.

        Paths are as they are; a renamed file is one that went and one that came. Raises ``TeamopsError``.
        """
        git = self._begin()
        exclusion = Exclusion.of(self.root, exclude)
        with self._differing(git, exclusion, trees) as (own, _):
            kinds = own.run("diff-index", "--name-status", "--no-renames", *_PLAIN, base, "--", ".")
            counts = own.run("diff-index", "--numstat", "--no-renames", *_PLAIN, base, "--", ".")
        lines: dict[str, tuple[int | None, int | None]] = {}
        for row in counts.split(b"\0"):
            if row:
                added, removed, path = row.split(b"\t", 2)
                known = added.isdigit() and removed.isdigit()
                lines[_decoded(path)] = (int(added), int(removed)) if known else (None, None)
        words = [word for word in kinds.split(b"\0") if word]
        status = {_decoded(path): word.decode()[:1] for word, path in zip(words[::2], words[1::2], strict=False)}
        # One that git only believes to differ has no row of its own among the counts.
        found = [Differs(path, status.get(path, "M"), *counted) for path, counted in sorted(lines.items())]
        return tuple(one for one in found if not exclusion.has(one.path) and _size(self.root / one.path) <= MAX_CONTENT)

    def between(self, one: str, other: str, trees: Path) -> tuple[str, ...]:
        """Return the paths in which two trees differ that ``work_tree`` kept in ``trees``. Raises ``TeamopsError``."""
        git = self._begin()
        with self._own_index(git, trees) as (own, _):
            out = own.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--full-index", one, other)
        return tuple(part.decode("utf-8", "surrogateescape") for part in out.split(b"\0") if part)

    def base_at(self, wall: float) -> str:
        """Return the commit that was checked out at ``wall`` (Unix seconds); the empty tree where there was none.

        By the log of HEAD; where that doesn't go back so far (a clone), by the commits' dates. Raises ``TeamopsError``.
        """
        git = self._begin()
        if not _head(git):
            return empty_tree(git)
        moment = f"@{max(0, int(wall))} +0000"
        code, out, said = git.ask("rev-parse", "--verify", f"HEAD@{{{moment}}}", codes=(0, 128))
        if code == 0 and _OLDER not in said:
            return out.decode().strip()
        found = git.line("rev-list", "-1", f"--before={moment}", "HEAD", "--")
        return found or empty_tree(git)

    def changed_since(self, base: str, exclude: Files = ()) -> DiffStat:
        """Return what differs between ``base`` (a commit or tree) and the work tree, committed or not, new files too.

        A renamed file is one change, of its new name; a binary or very big one counts no lines. Paths are for showing.
        Raises ``TeamopsError``.
        """
        git = self._begin()
        exclusion = Exclusion.of(self.root, exclude)
        files: dict[str, tuple[int, int]] = {}
        with self._differing(git, exclusion) as (own, extra):
            out = own.run("diff-index", "--numstat", "-M", "-l400", *_PLAIN, base, "--", ".")
            words = iter(out.split(b"\0"))
            for word in words:
                if not word:
                    continue
                added, removed, path = word.split(b"\t", 2)
                if not path:  # renamed: the old and the new name follow
                    next(words, b"")
                    path = next(words, b"")
                files[_decoded(path)] = (_count(added), _count(removed))
            files |= {path: (0, 0) for path in extra if path not in files}
        shown = [
            DiffFile(path=_shown(path), added=added, removed=removed)
            for path, (added, removed) in sorted(files.items())
            if not exclusion.has(path)
        ]
        return DiffStat(base=base, files=tuple(shown), commits=self._commits(git, base))

    def changed_paths(self, base: str, exclude: Files = ()) -> tuple[str, ...]:
        """Return the paths of ``changed_since`` as they are, of a renamed file both names. Raises ``TeamopsError``."""
        git = self._begin()
        exclusion = Exclusion.of(self.root, exclude)
        with self._differing(git, exclusion) as (own, extra):
            out = own.run("diff-index", "--name-only", "--no-renames", *_PLAIN, base, "--", ".")
        paths = {_decoded(part) for part in out.split(b"\0") if part} | set(extra)
        return tuple(sorted(path for path in paths if not exclusion.has(path)))

    def held(self, exclude: Files = ()) -> dict[str, str]:
        """Return the files that count in the project's folder, each with the blob that holds its bytes.

        Empty: git does not hold what stands there now. What lies in other repositories below is left out. Raises
        ``TeamopsError``.
        """
        git = self._begin()
        exclusion = Exclusion.of(self.root, exclude)
        with self._own_index(git) as (own, folder):
            own.run("update-index", "-q", "--refresh", codes=(0, 1))
            found = listing(own, outside(exclusion, folder, self.root))
            files = {}
            for entry in own.run("ls-files", "-s", "-z", "--", ".").split(b"\0"):
                head, _, path = entry.partition(b"\t")
                if path and head[:6].decode() != LINK:
                    files[_decoded(path)] = head.split(b" ")[1].decode()
        files |= dict.fromkeys(found.changed, "")
        for gone in (*found.gone, *found.excluded):
            files.pop(gone, None)
        return files

    def folders(self) -> frozenset[str]:
        """Return the folders below the project's in which git holds files. Raises ``TeamopsError``."""
        found: set[str] = set()
        for entry in self._begin().run("ls-files", "-s", "-z", "--", ".").split(b"\0"):
            head, _, path = entry.partition(b"\t")
            at = b"" if head[:6].decode() == LINK else path.rpartition(b"/")[0]
            while at and (name := _decoded(at)) not in found:
                found.add(name)
                at = at.rpartition(b"/")[0]
        return frozenset(found)

    def hooks(self) -> tuple[Path, Path]:
        """Return the folder of which git runs the hooks, and the one that is the repository's own.

        Raises ``TeamopsError``.
        """
        git = self._begin()
        own = (self.root / git.line("rev-parse", "--git-common-dir")).resolve() / "hooks"
        # What is overridden for git's own safety is asked of the configuration itself.
        code, out, _ = git.ask(
            "config", "--show-scope", "--type=path", "-z", "--get-all", "core.hooksPath", codes=(0, 1)
        )
        words = out.decode("utf-8", "surrogateescape").split("\0") if not code else []
        given = [path for scope, path in zip(words[::2], words[1::2], strict=False) if scope != "command"]
        if not given:
            return own, own
        top = self.root / git.line("rev-parse", "--show-toplevel")
        return (top / given[-1]).resolve(), own.resolve()

    def converts(self) -> bool:
        """Return whether git may write files otherwise than it holds them (line ends, filters).

        Raises ``TeamopsError``.
        """
        git = self._begin()
        said = git.ask("config", "--get", "core.autocrlf", codes=(0, 1))[1].strip().lower()
        if said not in {b"", b"false", b"input"}:
            return True
        if _size(self.root / git.line("rev-parse", "--git-path", "info/attributes")):
            return True
        if git.ask("config", "--get", "core.attributesFile", codes=(0, 1))[1].strip():
            return True
        top = git.with_env(GIT_LITERAL_PATHSPECS="0")
        return bool(top.run("ls-files", "-c", "-o", "-z", "--", ":(top,glob)**/.gitattributes"))

    def ignored_folders(self) -> tuple[str, ...]:
        """Return the folders of which git ignores everything. Raises ``TeamopsError``."""
        out = self._begin().run("ls-files", "-o", "-i", "--directory", "--exclude-standard", "-z", "--", ".")
        return tuple(_decoded(part).rstrip("/") for part in out.split(b"\0") if part.endswith(b"/"))

    def ignored(self, paths: Iterable[str]) -> frozenset[str]:
        """Return which of ``paths`` git ignores; they may be gone already. Raises ``TeamopsError``."""
        given = [path for path in paths if path]
        if not given:
            return frozenset()
        git = self._begin().with_env(GIT_LITERAL_PATHSPECS="0")
        # Told with their folder's own dot: a name that begins with a colon means something to git.
        _, out, _ = git.ask("check-ignore", "-z", "--stdin", stdin=joined([f"./{one}" for one in given]), codes=(0, 1))
        return frozenset(_decoded(part).removeprefix("./") for part in out.split(b"\0") if part)

    def blob(self, oid: str) -> bytes:
        """Return the bytes of a blob. Raises ``TeamopsError``, also where there is none any more."""
        return self._begin().run("cat-file", "blob", oid)

    def _begin(self) -> Git:
        git = Git(self.root, time.monotonic() + self.seconds, self.seconds)
        return git.with_config(foreign_filters(git))

    @contextmanager
    def _own_index(self, git: Git, trees: Path | None = None) -> Iterator[tuple[Git, Path]]:
        try:
            place = tempfile.TemporaryDirectory(prefix="teamops-git-", ignore_cleanup_errors=True)
        except OSError as error:
            raise GitFailed(
                f"there is no room for a copy of git's index: {error.strerror or error}", "mend TMPDIR"
            ) from error
        with place as name:
            folder = Path(name).resolve()
            with own_index(git, folder) as own:
                yield own if trees is None else own.with_env(GIT_OBJECT_DIRECTORY=str(trees)), folder

    @contextmanager
    def _differing(self, git: Git, exclusion: Exclusion, trees: Path | None = None) -> Iterator[tuple[Git, list[str]]]:
        """Give an index that a comparison with the work tree can use, and the paths that git would not compare."""
        with self._own_index(git, trees) as (own, folder):
            found = listing(own, outside(exclusion, folder, self.root))
            own.run("update-index", "-q", "--refresh", codes=(0, 1))
            put_new(own, self.prefix, found)
            yield own, [path for path, oid in found.repositories if _inner(own, path, oid, DEEPEST)[0] != oid]

    def _commits(self, git: Git, base: str) -> int:
        """Return how many commits came since ``base``."""
        head = _head(git)
        if not head:
            return 0
        of = [] if base == empty_tree(git) else [f"^{base}"]
        where = ["."] if self.prefix else []
        with suppress(GitFailed):  # a base that is a tree has no commits after it
            return int(git.run("rev-list", "--count", *of, head, "--", *where))
        return 0


_PLAIN = ("-z", "--relative", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")


def _head(git: Git) -> str:
    return git.ask("rev-parse", "--verify", "-q", "HEAD", codes=(0, 1))[1].decode().strip()


def _ignored(git: Git) -> bool:
    """Return whether the surrounding repository keeps nothing of the folder and ignores it."""
    above = git.at(git.root.parent).with_env(GIT_LITERAL_PATHSPECS="0")  # it refuses what it has no use for
    code, _, _ = above.ask("check-ignore", "-q", "--", f"./{git.root.name}", codes=(0, 1))
    return code == 0 and not git.run("ls-files", "-z", "--", ".")


def _tree(own: Git, prefix: str, exclusion: Exclusion, depth: int, *, contents: bool = False) -> str:
    found: Listing = listing(own, exclusion)
    links = []
    for path, oid in found.repositories:
        inner, there = _inner(own, path, oid, depth)
        if there and inner != oid:
            links.append((path, inner))
    if contents:
        big = {path for path in found.changed if _size(own.root / path) > MAX_CONTENT}
        found.changed = [path for path in found.changed if path not in big]
        found.gone += sorted(big)
    take(own, prefix, found, links, contents=contents)
    return written_tree(own, prefix)


def _inner(git: Git, path: str, oid: str, depth: int) -> tuple[str, bool]:
    """Return what stands for the repository at ``path``: its commit where nothing else lies in it, else its tree.

    And whether there is one: a submodule that is not checked out stands for ``oid``, the commit of the index.
    """
    root = git.root / path
    if depth <= 0 or not (root / ".git").exists():
        return oid, False
    inner = git.at(root)
    # Of a broken one git would take the repository around it, whose top this is not.
    if inner.ask("rev-parse", "--show-prefix", codes=(0, 128))[:2] != (0, b"\n"):
        return oid, False
    inner = inner.with_config(foreign_filters(inner))
    head = _head(inner)
    with tempfile.TemporaryDirectory(prefix="teamops-git-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        with own_index(inner, folder) as own:
            tree = _tree(own, "", outside(Exclusion(frozenset()), folder, root), depth - 1)
    committed = inner.line("rev-parse", "--verify", "-q", f"{head}^{{tree}}") if head else ""
    return (head if tree == committed else tree), True


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _count(word: bytes) -> int:
    return int(word) if word.isdigit() else 0


def _decoded(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _shown(path: str) -> str:
    return clean_line(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), 300)
