"""The work tree in an index of its own: the person's index is copied, never written.

The copy keeps what git knows of each file's size and times, so that only what may have changed is read.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from teamops.git.command import Git, GitFailed, joined, quoted

LINK = "160000"
"""The mode of an entry that is another repository: a submodule."""
_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What does not count as work: the handoff file with all that teamops keeps beside it, and its own folder."""

    paths: frozenset[str]
    """Files and folders, relative to the project's folder."""
    archives: tuple[tuple[str, str], ...] = ()
    """Beginning and end of the names of files that hold what was moved out of a handoff file."""

    @staticmethod
    def of(root: Path, files: Iterable[str | Path]) -> Exclusion:
        """Return the exclusion of handoff ``files`` (absolute, or relative to ``root``), their locks and archives."""
        paths, archives = {".teamops"}, []
        for name in files:
            for path in {Path(os.path.normpath(root / name)), (root / name).resolve()}:
                if not path.is_relative_to(root) or path == root:
                    continue
                for one in (path, path.with_name(f".{path.name}.lock")):
                    paths.add(str(one.relative_to(root)))
                archives.append((str((path.parent / "archive" / path.stem).relative_to(root)) + "-", path.suffix))
        return Exclusion(frozenset(paths), tuple(archives))

    def has(self, path: str) -> bool:
        """Return whether ``path``, relative to the project's folder, does not count."""
        if any(path == one or path.startswith(one + "/") for one in self.paths):
            return True
        return any(
            path.startswith(start) and path.endswith(end) and "/" not in path[len(start) :]
            for start, end in self.archives
        )


@dataclass(slots=True)
class Listing:
    """What the work tree holds that its index does not say."""

    changed: list[str] = field(default_factory=list)
    """Files to be read: changed, and new ones that are not ignored."""
    new: list[str] = field(default_factory=list)
    """The new ones among them."""
    gone: list[str] = field(default_factory=list)
    """Files that are not there, can't be read, or are no files now."""
    excluded: list[str] = field(default_factory=list)
    """Files of the index that do not count."""
    repositories: list[tuple[str, str]] = field(default_factory=list)
    """Other repositories below: path, and the commit that the index has of it, or nothing."""


@contextmanager
def own_index(git: Git, folder: Path) -> Iterator[Git]:
    """Copy the index into ``folder`` and give git on the copy; what it makes goes to ``folder``, too."""
    index = git.root / git.line("rev-parse", "--git-path", "index")
    objects = git.root / git.line("rev-parse", "--git-path", "objects")
    try:
        # With its time: an entry as young as its index is read again, and a younger copy would hide that.
        with suppress(FileNotFoundError):
            shutil.copy2(index, folder / "index")
            (folder / "index").chmod(0o600)
        (folder / "objects").mkdir(exist_ok=True)
    except OSError as error:
        raise GitFailed(
            f"git's index can't be copied: {error.strerror or error}", "is there room in TMPDIR?"
        ) from error
    yield git.with_env(
        GIT_INDEX_FILE=str(folder / "index"),
        GIT_OBJECT_DIRECTORY=str(folder / "objects"),
        GIT_ALTERNATE_OBJECT_DIRECTORIES=quoted(objects),
    )


def listing(git: Git, exclusion: Exclusion) -> Listing:
    """Return what the work tree holds, on an index of its own: files that git is told not to look at are looked at."""
    found = Listing()
    links = _tracked(git, exclusion, found)
    for entry in dict.fromkeys(_split(git.run("ls-files", "-m", "-d", "-z", "--exclude-standard", "--", "."))):
        if not exclusion.has(entry) and entry not in links:
            (found.changed if _readable(git.root, entry) else found.gone).append(entry)
    for entry in _split(git.run("ls-files", "-o", "-z", "--exclude-standard", "--", ".")):
        if exclusion.has(entry.rstrip("/")):
            continue
        if entry.endswith("/"):
            links[entry.rstrip("/")] = ""
        elif _readable(git.root, entry):
            found.changed.append(entry)
            found.new.append(entry)
    found.repositories = sorted(links.items())
    return found


def _tracked(git: Git, exclusion: Exclusion, found: Listing) -> dict[str, str]:
    """Return the submodules of the index; note what does not count, and let nothing of the rest be overlooked."""
    links: dict[str, str] = {}
    believed, absent = [], []
    for entry in _split(git.run("ls-files", "-s", "-v", "-z", "--", ".")):
        head, _, path = entry.partition("\t")
        tag, mode, oid, _ = head.split(" ")
        if exclusion.has(path):
            found.excluded.append(path)
        elif mode == LINK:
            links[path] = oid
        if tag.islower():
            believed.append(path)
        if tag in "Ss" and os.path.lexists(git.root / path):
            absent.append(path)
    for option, paths in (("--no-assume-unchanged", believed), ("--no-skip-worktree", absent)):
        if paths:
            git.run("update-index", "-z", option, "--stdin", stdin=joined(paths))
    return links


def take(
    git: Git, prefix: str, found: Listing, links: Iterable[tuple[str, str]] = (), *, contents: bool = False
) -> None:
    """Bring the work tree into the index of its own: hashes alone, no content is stored anywhere but with ``contents``.

    ``links``: other repositories, each with the hash that stands for it. ``prefix``: the project's folder, for git.
    """
    _put(git, [("0", "", prefix + path) for path in (*found.excluded, *found.gone)])
    _put(git, [(LINK, oid, prefix + path) for path, oid in links])
    for start in range(0, len(found.changed), _BATCH):
        _hash(git, found.changed[start : start + _BATCH], contents=contents)


def _hash(git: Git, paths: list[str], *, contents: bool) -> None:
    """Take files; one that goes or loses its rights meanwhile is looked at again, once."""
    alone = [] if contents else ["--info-only"]
    words = ("update-index", "--add", "--remove", "--replace", *alone, "-z", "--stdin")
    try:
        git.run(*words, stdin=joined(paths))
    except GitFailed:
        still = [path for path in paths if _readable(git.root, path)]
        if len(still) == len(paths):
            raise
        git.run(*words, stdin=joined(still))


def written_tree(git: Git, prefix: str) -> str:
    """Return the tree of the index below ``prefix``; its trees go to the folder of the index."""
    if prefix:
        # A conflict elsewhere is none of ours, but would stop the writing.
        entries = _split(git.run("ls-files", "-u", "-z", "--full-name", "--", "../" * prefix.count("/")))
        _put(git, [("0", "", path) for path in dict.fromkeys(entry.partition("\t")[2] for entry in entries)])
        if not git.run("ls-files", "-z", "--", "."):
            return empty_tree(git)
        return git.line("write-tree", "--missing-ok", f"--prefix={prefix}")
    return git.line("write-tree", "--missing-ok")


def put_new(git: Git, prefix: str, found: Listing) -> None:
    """Bring what is new into the index of its own by name alone: a comparison then reads the files themselves."""
    _put(git, [("0", "", prefix + path) for path in found.gone])
    never = "1" * len(empty_tree(git))
    _put(git, [("100644", never, prefix + path) for path in found.new])


def empty_tree(git: Git) -> str:
    """Return the id of the tree that holds nothing, by the repository's way of hashing."""
    return git.line("hash-object", "-t", "tree", "--stdin")


def outside(exclusion: Exclusion, folder: Path, root: Path) -> Exclusion:
    """Return ``exclusion`` with our own temporary ``folder``, where it lies in the project."""
    if not folder.is_relative_to(root):
        return exclusion
    return replace(exclusion, paths=exclusion.paths | {str(folder.relative_to(root))})


def _put(git: Git, entries: Sequence[tuple[str, str, str]]) -> None:
    """Set entries of the index: mode (0 takes it out), hash, full path."""
    if entries:
        nothing = "0" * len(empty_tree(git))
        git.run(
            "update-index",
            "-z",
            "--index-info",
            stdin=joined([f"{mode} {oid or nothing}\t{path}" for mode, oid, path in entries]),
        )


def _readable(root: Path, name: str) -> bool:
    """Return whether git can hash it: a link, or a file with the right to read it, in no folder that is a link now."""
    path = root / name
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    if not (stat.S_ISLNK(mode) or (stat.S_ISREG(mode) and os.access(path, os.R_OK))):
        return False
    return not any(parent.is_symlink() for parent in (root / above for above in Path(name).parents[:-1]))


def _split(data: bytes) -> list[str]:
    return [os.fsdecode(part) for part in data.split(b"\0") if part]
