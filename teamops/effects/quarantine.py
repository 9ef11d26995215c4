"""A change past a boundary undone, or put back: the file becomes what the kept patch says, and no byte is lost.

The file is exchanged for the new one in one step of the kernel, and what was exchanged is looked at
afterwards: where it is not what was judged, it is exchanged back. No link is followed, neither the file nor a folder
above it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from teamops.effects import patches
from teamops.effects.patches import AFTER, BEFORE, Patch
from teamops.model.actions import Outcome, Quarantine
from teamops.model.boundary import ChangeKind, FileKind, FileState
from teamops.model.errors import TeamopsError

_EXCHANGE, _NOREPLACE = 2, 1
_DEEPEST = 50


class Changed(Exception):  # noqa: N818 - a state of the world
    """The file is not what it was when it was judged."""


class InTheWay(Exception):  # noqa: N818 - a state of the world
    """What stands there is nothing that could be kept."""


def quarantine(folder: Path, action: Quarantine) -> Outcome:
    """Undo a change, or put it back. Blocks. Raises ``TeamopsError`` where nothing was done.

    ``folder``: the project's in the person's state directory.
    """
    patch = patches.read(folder, action.patch)
    wanted, expected = (patch.after, patch.before) if action.back else (patch.before, patch.after)
    raw = patches.bytes_of(folder, action.patch, AFTER if action.back else BEFORE)
    if raw is None:
        what = "after the change" if action.back else "before it"
        raise TeamopsError(
            f"{action.path} stays as it is: what it held {what} is not known",
            "it was too great to be kept, or git writes it in another way than it holds it",
        )
    if wanted.kind is FileKind.OTHER:
        raise TeamopsError(f"{action.path} stays as it is: it was no file", "put it back by hand")
    if not action.back and patch.after.kind is FileKind.FILE and not patch.after.kept:
        raise TeamopsError(
            f"{action.path} stays as it is: what stands there now could not be kept", "look at it yourself"
        )
    kept = ""
    try:
        with _parent(patch, make=wanted.kind is not FileKind.NOTHING) as (parent, name):
            _tidy(parent, patch, action.patch)
            if action.force:
                kept, expected = _keep_now(folder, patch, parent, name)
            _replace(parent, name, wanted, raw, expected, _aside(action.patch))
    except Changed:
        done = "put back" if action.back else "undone"
        raise TeamopsError(
            f"{action.path} was changed again since, so nothing was {done}",
            "with --force both are kept" if action.back else "look at it: teamops guard diff",
        ) from None
    except InTheWay:
        raise TeamopsError(
            f"{action.path} stays as it is: no file stands there now (a folder, a pipe, a socket or a device)",
            "take it away first",
        ) from None
    except OSError as error:
        raise TeamopsError(
            f"{action.path} stays as it is: {error.strerror or error}", "mend what is named, then try again"
        ) from error
    if not action.back:
        return Outcome(ok=True, message=f"{action.path} is as it was before; the change is kept", evidence=action.patch)
    more = f"; what stood there is kept as {kept}" if kept else ""
    return Outcome(ok=True, message=f"the change of {action.path} is back{more}", evidence=action.patch)


def stands(root: str, path: str, most: int = 64 << 20) -> FileState:
    """Return what stands in a work tree at ``path`` now, with no link followed. Raises ``OSError``."""
    try:
        patch = Patch(root=root, path=path, before=FileState(), after=FileState())
        with _parent(patch, make=False) as (parent, name):
            return _state_of(parent, name, most)[0]
    except (FileNotFoundError, NotADirectoryError):
        return FileState()


def tidy(folder: Path, name: str) -> None:
    """Take away what an undoing that was cut off has left beside its file. Raises ``TeamopsError``, ``OSError``."""
    patch = patches.read(folder, name)
    with _parent(patch, make=False) as (parent, _):
        _tidy(parent, patch, name)


def _aside(name: str) -> str:
    """Return a name beside the file, for what takes its place."""
    return f"{_aside_start(name)}{uuid.uuid4().hex[:6]}"


def _aside_start(name: str) -> str:
    return f".teamops-{name.removesuffix(patches.DIFF)[:12]}-"


def _tidy(parent: int, patch: Patch, name: str) -> None:
    """Only what is kept is taken away."""
    for one in os.listdir(parent):
        if one.startswith(_aside_start(name)):
            now = _state_of(parent, one)[0]
            if any(now.digest and now.digest == known.digest for known in (patch.before, patch.after)):
                os.unlink(one, dir_fd=parent)


def matches(now: FileState, known: FileState) -> bool:
    """Return whether what stands there is what is known, by its bytes."""
    if now.kind is not known.kind:
        return False
    if now.kind is FileKind.NOTHING:
        return True
    return bool(known.digest) and now.digest == known.digest and (now.kind is FileKind.LINK or now.mode == known.mode)


@contextmanager
def _parent(patch: Patch, *, make: bool) -> Iterator[tuple[int, str]]:
    """Open the folder that the file is in, part by part, following no link. ``make``: what is missing is made."""
    *folders, name = [part for part in patch.path.split("/") if part]
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    at = os.open(patch.root, flags)
    try:
        for part in folders:
            if part in {".", ".."}:
                raise OSError(errno.EINVAL, "the path leads out of the work tree")
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, 0o777, dir_fd=at)
            inner = os.open(part, flags, dir_fd=at)
            os.close(at)
            at = inner
        yield at, name
    finally:
        os.close(at)


def _replace(parent: int, name: str, wanted: FileState, raw: bytes, expected: FileState, new: str) -> None:
    """Let ``name`` become ``wanted``, if it is ``expected`` now.

    Raises ``Changed``, ``InTheWay`` or ``OSError``: then it is as it was, but for empty folders.
    """
    now = _state_of(parent, name)[0]
    if now.kind is FileKind.OTHER and expected.kind is FileKind.NOTHING:
        _clear(parent, name)
    elif not matches(now, expected):
        raise Changed
    ours: int | None = None
    try:
        if wanted.kind is FileKind.NOTHING:
            _take_away(parent, name, new, expected)
        else:
            _make(parent, new, wanted, raw)
            ours = _inode(parent, new)
            _give(parent, name, new)
            if expected.kind is FileKind.NOTHING:
                try:
                    os.link(new, name, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
                except FileExistsError:
                    raise Changed from None
                os.unlink(new, dir_fd=parent)
            else:
                _exchange(parent, name, new, wanted, expected)
        os.fsync(parent)
    finally:
        with suppress(OSError):
            if ours is not None and _inode(parent, new) == ours:  # else somebody's, which stays aside
                os.unlink(new, dir_fd=parent)


def _clear(parent: int, name: str, depth: int = 0) -> None:
    """Take away a folder in which there is nothing but such folders. Raises ``InTheWay``."""
    if depth > _DEEPEST:
        raise InTheWay
    try:
        # What is no folder is not opened: a pipe would wait for somebody who writes.
        folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            for inner in os.listdir(folder):  # noqa: PTH208 - a descriptor, not a path
                _clear(folder, inner, depth + 1)
        finally:
            os.close(folder)
        os.rmdir(name, dir_fd=parent)
    except OSError:
        raise InTheWay from None


def _inode(parent: int, name: str) -> int:
    return os.stat(name, dir_fd=parent, follow_symlinks=False).st_ino


def _make(parent: int, name: str, wanted: FileState, raw: bytes) -> None:
    if wanted.kind is FileKind.LINK:
        os.symlink(raw, name, dir_fd=parent)
        return
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, 0o600, dir_fd=parent), "wb") as file:  # noqa: PTH123 - a descriptor
        try:
            file.write(raw)
            file.flush()
            os.fchmod(file.fileno(), wanted.mode)
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                os.unlink(name, dir_fd=parent)  # half of it, and ours
            raise


def _give(parent: int, name: str, new: str) -> None:
    """Give the new file to whom the old one belongs, as far as that is allowed."""
    with suppress(OSError):
        told = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if (told.st_uid, told.st_gid) != (os.getuid(), os.getgid()):
            os.chown(new, told.st_uid, told.st_gid, dir_fd=parent, follow_symlinks=False)


def _take_away(parent: int, name: str, aside: str, expected: FileState) -> None:
    """Take a file away that is ``expected``; another one that came in its place stays."""
    _rename(parent, name, aside, 0)
    if _is(parent, aside, expected):
        os.unlink(aside, dir_fd=parent)
        return
    _put_back(parent, aside, name)
    raise Changed


def _exchange(parent: int, name: str, new: str, wanted: FileState, expected: FileState) -> None:
    if not _rename(parent, new, name, _EXCHANGE):
        # Without an exchange: a link holds what stands there while it is looked at.
        aside = f"{new}-now"
        os.link(name, aside, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
        try:
            if not matches(_state_of(parent, aside)[0], expected):
                raise Changed
            os.rename(new, name, src_dir_fd=parent, dst_dir_fd=parent)
        finally:
            os.unlink(aside, dir_fd=parent)
        return
    if _is(parent, new, expected):
        os.unlink(new, dir_fd=parent)
        return
    try:
        _rename(parent, new, name, _EXCHANGE)
    except (Changed, OSError):
        _put_back(parent, new, name)  # what stood there, when what we put in its place is gone already
        raise Changed from None
    if not _is(parent, new, wanted):
        _put_back(parent, new, name)  # a third one came meanwhile: it is not ours to take away
    raise Changed


def _is(parent: int, name: str, known: FileState) -> bool:
    """Return whether what stands there is what is known; what can't be read is not."""
    try:
        return matches(_state_of(parent, name)[0], known)
    except OSError:
        return False


def _put_back(parent: int, aside: str, name: str) -> None:
    """Give what was taken aside, a folder it may be, its name again; where there is a newer one already, both stay."""
    for wanted in (name, f"{name}.teamops-kept", f"{name}.teamops-kept-{uuid.uuid4().hex[:6]}"):
        with suppress(FileExistsError):
            if not _rename(parent, aside, wanted, _NOREPLACE):
                os.link(aside, wanted, src_dir_fd=parent, dst_dir_fd=parent, follow_symlinks=False)
                os.unlink(aside, dir_fd=parent)
            return


def _rename(parent: int, old: str, new: str, how: int) -> bool:
    """Rename within a folder; return whether it could be done in that way."""
    if not how:
        os.rename(old, new, src_dir_fd=parent, dst_dir_fd=parent)
        return True
    call = _renameat2()
    if call is None:
        return False
    if call(parent, os.fsencode(old), parent, os.fsencode(new), how) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.ENOSYS, errno.EINVAL}:
        return False
    if code == errno.ENOENT:
        raise Changed
    raise OSError(code, os.strerror(code))


@cache
def _renameat2() -> ctypes._NamedFuncPointer | None:
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return None
    call.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return call


def _state_of(parent: int, name: str, most: int = 64 << 20) -> tuple[FileState, bytes]:
    """Return what stands at ``name``, and its bytes. Raises ``OSError``."""
    try:
        told = os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return FileState(), b""
    mode = stat.S_IMODE(told.st_mode)
    if stat.S_ISLNK(told.st_mode):
        raw = os.fsencode(os.readlink(name, dir_fd=parent))
        return FileState(kind=FileKind.LINK, size=len(raw), digest=patches.digest(raw), kept="now"), raw
    if not stat.S_ISREG(told.st_mode):
        return FileState(kind=FileKind.OTHER, mode=mode), b""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, dir_fd=parent), "rb") as file:  # noqa: PTH123 - a descriptor
        raw = file.read(most + 1)
    if len(raw) > most:
        return FileState(kind=FileKind.FILE, mode=mode, size=told.st_size), b""
    return FileState(kind=FileKind.FILE, mode=mode, size=len(raw), digest=patches.digest(raw), kept="now"), raw


def _keep_now(folder: Path, patch: Patch, parent: int, name: str) -> tuple[str, FileState]:
    """Keep what stands there now; return its name among the patches, and what that is. Raises ``TeamopsError``."""
    now, raw = _state_of(parent, name)
    if now.kind is FileKind.OTHER or (now.kind is FileKind.FILE and not now.digest):
        raise TeamopsError(f"{patch.path} stays as it is: what stands there now can't be kept", "move it away first")
    own = Patch(root=patch.root, path=patch.path, before=patch.after, after=now)
    held = raw if now.kind is not FileKind.NOTHING else b""
    return patches.write(folder, own, None, held, ChangeKind.CHANGED).name, now
