"""New files in a person's project: all of them or none, each whole, and nothing that was there is touched."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from teamops.model.errors import TeamopsError
from teamops.model.text import clean_line

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES})
"""What file systems answer that know no hard links."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is to be made."""

    path: Path
    data: bytes


@dataclass(frozen=True, slots=True)
class Addition:
    """What is to be appended to a file that is there; whose bytes so far stay as they are."""

    path: Path
    data: bytes


class NotPlaced(TeamopsError):  # noqa: N818 - a state of the world, not a defect
    """Nothing was written: what had been written before it failed is taken back."""


@dataclass(slots=True)
class _Traces:
    """What was made so far, in order."""

    folders: list[Path] = field(default_factory=list)
    drafts: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    lengths: list[tuple[Path, int]] = field(default_factory=list)
    """Of files that were appended to, before it."""


def place(files: Sequence[NewFile], additions: Sequence[Addition] = ()) -> None:
    """Make all ``files`` and append all ``additions``, or leave everything as it was.

    The data is on the disk under other names before the first file gets its own, so that a full disk or an interrupt
    leaves no half of one; folders are made as needed. Raises ``NotPlaced``, also where one of the files is there
    already; what else interrupts it (``KeyboardInterrupt``) is passed on when all is taken back.
    """
    traces = _Traces()
    with _taken_back(traces):
        drafts = [_draft(traces, file) for file in files]
        for file, draft in zip(files, drafts, strict=True):
            _give_name(traces, file, draft)
        for addition in additions:
            _append(traces, addition)


@contextmanager
def _taken_back(traces: _Traces) -> Iterator[None]:
    """Take everything back that was made when the block fails; the drafts in any case."""
    try:
        yield
    except BaseException as error:
        stays = _take_back(traces)
        if isinstance(error, OSError):
            what = clean_line(f"{error.filename or 'a file'}: {error.strerror or error}")
            rest = f"; could not be taken back: {', '.join(stays)}" if stays else ""
            raise NotPlaced(f"nothing was written: {what}{rest}", _hint(error)) from error
        raise
    finally:
        for draft in traces.drafts:
            with contextlib.suppress(OSError):
                draft.unlink()


def _hint(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "make room on the disk and say it again"
    if isinstance(error, FileExistsError):
        return "it has come up meanwhile: look at it, and say it again"
    return "may you write in this folder?"


def _draft(traces: _Traces, file: NewFile) -> Path:
    """Write the data beside where it will stand and return where."""
    missing = [folder for folder in file.path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        traces.folders.append(folder)
    draft = file.path.parent / f".teamops-{secrets.token_hex(6)}"
    opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)  # the umask narrows it
    traces.drafts.append(draft)
    try:
        _write(opened, file.data, file.path)
    finally:
        os.close(opened)
    return draft


def _give_name(traces: _Traces, file: NewFile, draft: Path) -> None:
    """Let the draft stand under the file's own name. Raises ``FileExistsError`` where there is one of that name."""
    try:
        os.link(draft, file.path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with file.path.open("xb", buffering=0) as stream:
            traces.files.append(file.path)
            _write(stream.fileno(), file.data, file.path)
    else:
        traces.files.append(file.path)


def _append(traces: _Traces, addition: Addition) -> None:
    with addition.path.open("ab", buffering=0) as stream:
        traces.lengths.append((addition.path, os.fstat(stream.fileno()).st_size))
        _write(stream.fileno(), addition.data, addition.path)


def _write(opened: int, data: bytes, path: Path) -> None:
    """Bring all of ``data`` to the disk. Raises ``OSError`` that names ``path``."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(opened, view) :]
        os.fsync(opened)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _take_back(traces: _Traces) -> list[str]:
    """Undo what was done; return what could not be."""
    stays = []
    for path, length in traces.lengths:
        try:
            os.truncate(path, length)
        except OSError:
            stays.append(clean_line(str(path)))
    for path in traces.files:
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError:
            stays.append(clean_line(str(path)))
    for draft in traces.drafts:  # before their folders, which must be empty
        with contextlib.suppress(OSError):
            draft.unlink()
    for folder in reversed(traces.folders):
        with contextlib.suppress(OSError):  # somebody has put something in
            folder.rmdir()
    return stays
