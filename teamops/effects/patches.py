"""Changes past a boundary, kept whole: the bytes before and after, and a difference for people.

Four files of one name in the project's folder of the person's state directory. They are written through to the disk
before anything is done about the change, and never taken away by teamops.
"""

from __future__ import annotations

import difflib
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from teamops.model.boundary import ChangeKind, FileKind, FileState
from teamops.model.errors import TeamopsError
from teamops.model.text import clean_line

FOLDER = "patches"
DIFF, BEFORE, AFTER, FACTS = ".diff", ".before", ".after", ".json"
VERSION = 1
MAX_LINES = 3000
"""What differs in more lines is shown as taken out and put in as a whole."""
MAX_ALL = 2 << 30
"""Bytes that are kept at most: an agent that writes a forbidden file again and again fills no disk."""
_ALL: dict[Path, int] = {}
"""How many bytes each folder keeps, as far as this process knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One change as it is kept."""

    root: str
    """The work tree's folder."""
    path: str
    """In it."""
    before: FileState
    after: FileState


@dataclass(frozen=True, slots=True)
class Written:
    """What was kept of a change."""

    name: str
    """By which the ledger knows it."""
    added: int | None
    """Lines; ``None`` = not known."""
    removed: int | None


def write(folder: Path, patch: Patch, before: bytes | None, after: bytes | None, change: ChangeKind) -> Written:
    """Keep a change; what is ``None`` is not known. Raises ``TeamopsError`` where it can't be: then nothing is kept.

    ``folder``: the project's in the person's state directory.
    """
    stem = uuid.uuid4().hex[:16]
    lines, added, removed = _difference(patch, before, after, change)
    facts = {
        "v": VERSION, "root": patch.root, "path": patch.path, "change": change.value,
        "before": _facts(patch.before, before), "after": _facts(patch.after, after),
    }  # fmt: skip
    place = folder / FOLDER
    made: list[Path] = []
    parts = ((BEFORE, before), (AFTER, after), (DIFF, lines), (FACTS, json.dumps(facts).encode()))
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        _need_room(place, sum(len(raw) for _, raw in parts if raw is not None))
        for end, raw in parts:
            if raw is not None:
                made.append(place / f"{stem}{end}")
                _write(made[-1], raw)
        sync(place)
    except OSError as error:
        for path in made:
            path.unlink(missing_ok=True)
        raise TeamopsError(
            f"the change can't be kept: {error.strerror or error}",
            "free disk space or mend the state directory's rights",
        ) from error
    return Written(stem + DIFF, added, removed)


def _need_room(place: Path, more: int) -> None:
    """Count ``more`` bytes. Raises ``TeamopsError`` where they are too many, ``OSError``."""
    known = _ALL.get(place)
    if known is None or known + more > MAX_ALL:
        with os.scandir(place) as entries:  # a person may have taken some away
            known = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    if known + more > MAX_ALL:
        raise TeamopsError(
            f"the change can't be kept: those that are kept come to {known / 2**30:.1f} GB",
            f"take away from {place} what you no longer need",
        )
    _ALL[place] = known + more


def read(folder: Path, name: str) -> Patch:
    """Return a change that is kept by this name. Raises ``TeamopsError``."""
    path = _place(folder, name, FACTS)
    try:
        told = json.loads(path.read_bytes())
        if told["v"] != VERSION:
            told = {}  # another version's: nothing of it is known
        return Patch(
            root=str(told["root"]), path=str(told["path"]), before=_state(told["before"]), after=_state(told["after"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TeamopsError(f"the kept change {path} can't be read: {error}", "it stays as it is") from error


def bytes_of(folder: Path, name: str, which: str) -> bytes | None:
    """Return the bytes BEFORE or AFTER; ``None`` where they were not kept. Raises ``TeamopsError`` for damaged ones."""
    patch = read(folder, name)
    state = patch.before if which == BEFORE else patch.after
    if state.kind is FileKind.NOTHING:
        return b""
    if not state.kept:
        return None
    path = _place(folder, name, which)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TeamopsError(f"{path} can't be read: {error.strerror or error}", "nothing was done") from error
    if digest(raw) != state.digest:
        raise TeamopsError(f"{path} is not what was kept", "nothing was done")
    return raw


def digest(raw: bytes) -> str:
    """Return the SHA-256 of bytes, hexadecimal."""
    import hashlib

    return hashlib.sha256(raw).hexdigest()


def sync(folder: Path) -> None:
    """Have a folder's entries on the disk. Raises ``OSError``."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _place(folder: Path, name: str, end: str) -> Path:
    stem = name.removesuffix(DIFF)
    if not stem.isalnum():
        raise TeamopsError("of this change nothing was kept", "it stands in the file alone")
    return folder / FOLDER / f"{stem}{end}"


def _write(path: Path, raw: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:  # noqa: PTH123
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _facts(state: FileState, raw: bytes | None) -> dict[str, object]:
    kept = raw is not None and state.kind in (FileKind.FILE, FileKind.LINK)
    return {
        "kind": state.kind.value, "mode": state.mode, "size": state.size, "kept": kept,
        "digest": digest(raw) if kept and raw is not None else state.digest,
    }  # fmt: skip


def _state(told: dict[str, object]) -> FileState:
    return FileState(
        kind=FileKind(str(told["kind"])),
        mode=int(str(told["mode"])) & 0o7777,
        size=int(str(told["size"])),
        digest=str(told["digest"]),
        kept="patch" if told["kept"] is True else "",
    )


def _difference(
    patch: Patch, before: bytes | None, after: bytes | None, change: ChangeKind
) -> tuple[bytes, int | None, int | None]:
    """Return a unified difference, and how many lines came and went."""
    name = clean_line(patch.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), 300)
    head = [f"--- {name} (before)", f"+++ {name} ({change.value})"]
    if patch.before.mode != patch.after.mode and change is ChangeKind.CHANGED:
        head.append(f"its rights: {patch.before.mode:04o} before, {patch.after.mode:04o} after")
    for state, word in ((patch.before, "before"), (patch.after, "after")):
        if state.kind is FileKind.LINK:
            head.append(f"{word}: a link")
    if before is None or after is None:
        missing = "before" if before is None else "after"
        said = f"what it held {missing} is not known: it was too great to be kept, or nobody saw it"
        return "\n".join([*head, said, ""]).encode(), None, None
    if b"\0" in before[:8000] or b"\0" in after[:8000]:
        said = f"binary: {len(before)} bytes before, {len(after)} after"
        return "\n".join([*head, said, ""]).encode(), None, None
    old = before.decode("utf-8", "replace").splitlines()
    new = after.decode("utf-8", "replace").splitlines()
    lines, added, removed = compared(old, new)
    return "\n".join([*head, *lines, ""]).encode("utf-8", "replace"), added, removed


def compared(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], int, int]:
    """Return the hunks of a unified difference, and how many lines came and went."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    gone, come = old[start : len(old) - end], new[start : len(new) - end]
    if max(len(gone), len(come)) > MAX_LINES:
        hunk = [f"@@ -{start + 1},{len(gone)} +{start + 1},{len(come)} @@", *(f"-{line}" for line in gone)]
        return [*hunk, *(f"+{line}" for line in come)], len(come), len(gone)
    lead = max(0, start - 3)
    tail = min(end, 3)
    cut = slice(lead, len(old) - end + tail), slice(lead, len(new) - end + tail)
    lines = list(difflib.unified_diff(old[cut[0]], new[cut[1]], n=3, lineterm=""))[2:]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    return [f"@@ from line {lead + 1} on @@", *lines], added, removed
