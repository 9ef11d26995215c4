"""One watcher of directories, shared by all sources that read files.

Directories are watched, never files: an editor or an agent that replaces a file leaves a watch on the file behind. What
inotify can't tell (a directory that comes, goes or is replaced; a machine out of watches) a stat once a second does.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import stat
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.sources.pace import until_next

if TYPE_CHECKING:
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers.api import BaseObserver, ObservedWatch

CHECK_S = 1.0
"""How often directories are looked at by stat."""
COALESCE_S = 0.01
"""Names are collected for so long before they are told: one append makes four callbacks within 0.3 ms."""
RETRY_CHECKS = 30
"""A polled directory asks for a real watch again every so many checks."""
JOIN_S = 5.0

Changed = Callable[[frozenset[str]], None]
"""Takes the changed names, relative to the directory; empty = the directory itself went away."""
_Seen = dict[str, tuple[int, int, int]]


@dataclass(slots=True, eq=False)
class _Folder:
    path: str
    recursive: bool
    listeners: dict[object, Changed] = field(default_factory=dict)
    watch: ObservedWatch | None = None
    identity: tuple[int, int] | None = None
    """Device and inode of what is watched; ``None`` while nothing is."""
    polled: _Seen | None = None
    """What the last poll saw; ``None`` while not polled."""
    polls: int = 0
    busy: bool = False
    """A thread scans or arms it now."""
    pending: set[str] = field(default_factory=set)
    timed: bool = False


class Watch:
    """Tells which names changed in which directories.

    All methods are for the loop's thread. Callbacks run in the loop, a few milliseconds after the change, with the
    names that changed since the last one.
    """

    def __init__(self, check_s: float = CHECK_S) -> None:
        self._check_s = check_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._observer: BaseObserver | None = None
        self._folders: dict[tuple[str, bool], _Folder] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._lock = threading.Lock()
        """Guards ``pending`` of all folders against the observer's thread."""
        self._arming = threading.Lock()
        """One thread at a time changes the observer; none does after ``stop``."""
        self._stopped = False
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why some directories are polled once a second instead of watched; empty = none is."""
        return self._trouble if any(folder.polled is not None for folder in self._folders.values()) else ""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to watch, telling in ``loop``. Of directories named before, every name is told."""
        if self._stopped:
            return
        self._loop = loop
        for key, folder in list(self._folders.items()):
            if self._folders.get(key) is folder:  # who is told may begin and end other watches
                self._arm(folder, tell=True)
        self._timer = loop.call_later(until_next(self._check_s), self._check)

    def stop(self) -> None:
        """End all watches and the observer's threads. No callback comes afterwards."""
        if self._timer is not None:
            self._timer.cancel()
        for folder in self._folders.values():
            folder.listeners.clear()
        with self._arming:
            self._stopped = True
            observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join(JOIN_S)

    def directory(self, path: Path, changed: Changed, *, recursive: bool = False) -> Callable[[], None]:
        """Call ``changed`` with the names that change in ``path``; the returned function ends it.

        The directory may come later, go and come again: when it comes, every name in it is told; when it goes, the
        empty set. A single directory is watched when this returns. A recursive watch is set up in a thread; when it
        stands, every name below is told, so that nothing that changed meanwhile is lost.
        """
        key = (os.path.abspath(path), recursive)  # noqa: PTH100 - not resolved: a link may come to point elsewhere
        folder = self._folders.get(key)
        if folder is None:
            folder = self._folders[key] = _Folder(*key)
            if self._loop is not None:
                self._arm(folder, tell=False)
        token = object()
        folder.listeners[token] = changed

        def cancel() -> None:
            folder.listeners.pop(token, None)
            if not folder.listeners and self._folders.get(key) is folder:
                del self._folders[key]
                self._disarm(folder)

        return cancel

    def _check(self) -> None:
        """Look at every directory: arm, re-arm, poll."""
        for folder in list(self._folders.values()):
            if folder.busy:
                continue
            identity = _identity(folder.path)
            if identity != folder.identity:
                if folder.identity is not None:
                    self._lose(folder)
                if identity is not None:
                    self._arm(folder, tell=True)
            elif folder.polled is not None:
                self._poll(folder, folder.polled)
        if self._loop is not None and not self._stopped:
            self._timer = self._loop.call_later(until_next(self._check_s), self._check)

    def _lose(self, folder: _Folder) -> None:
        self._disarm(folder)
        folder.identity = folder.polled = None
        with self._lock:
            folder.pending.clear()
        self._tell(folder, frozenset())

    def _lost(self, folder: _Folder) -> None:
        """The observer saw the directory go; it may be there again already, even with the same inode."""
        if folder.identity is not None and not folder.busy:
            self._lose(folder)
            self._arm(folder, tell=True)

    def _arm(self, folder: _Folder, *, tell: bool) -> None:
        identity = _identity(folder.path)
        if identity is None:
            return
        folder.identity = identity
        if not folder.recursive:
            self._armed(folder, self._schedule(folder), tell=tell)
            return
        folder.busy = True
        assert self._loop is not None  # noqa: S101 - armed only once started
        future = self._loop.run_in_executor(None, self._schedule, folder)

        def done(finished: asyncio.Future[OSError | None]) -> None:
            folder.busy = False
            if finished.cancelled():
                return
            if folder.listeners:
                self._armed(folder, finished.result(), tell=True)
            else:
                self._disarm(folder)

        future.add_done_callback(done)

    def _armed(self, folder: _Folder, error: OSError | None, *, tell: bool) -> None:
        if error is not None:
            if error.errno in {errno.ENOENT, errno.ENOTDIR}:
                folder.identity = None
                return
            self._trouble = f"files are looked at once a second instead of watched: {_cause(error)}"
            folder.polled = {} if tell else dict(_listing(folder.path, recursive=folder.recursive))
            folder.polls = 0

        def tell_all(seen: _Seen) -> None:
            if folder.polled is not None:
                folder.polled = seen
            self._tell(folder, frozenset(seen))

        if tell:
            self._scan(folder, tell_all)

    def _poll(self, folder: _Folder, before: _Seen) -> None:
        folder.polls += 1
        if folder.polls % RETRY_CHECKS == 0:
            folder.polled = None
            self._arm(folder, tell=True)
            return

        def compare(seen: _Seen) -> None:
            folder.polled = seen
            names = {name for name, row in seen.items() if before.get(name) != row} | (before.keys() - seen.keys())
            if names:
                self._tell(folder, frozenset(names))

        self._scan(folder, compare)

    def _scan(self, folder: _Folder, then: Callable[[_Seen], None]) -> None:
        """List the directory, a whole tree in a thread, and hand the listing on."""
        if not folder.recursive:
            then(dict(_listing(folder.path, recursive=False)))
            return
        folder.busy = True
        assert self._loop is not None  # noqa: S101 - scanned only once started
        future = self._loop.run_in_executor(None, lambda: dict(_listing(folder.path, recursive=True)))

        def done(finished: asyncio.Future[_Seen]) -> None:
            folder.busy = False
            if not finished.cancelled():
                then(finished.result())

        future.add_done_callback(done)

    def _tell(self, folder: _Folder, names: frozenset[str]) -> None:
        for changed in list(folder.listeners.values()):
            changed(names)

    def _schedule(self, folder: _Folder) -> OSError | None:
        """Set up the watch; return why it can't be. In any thread."""
        from watchdog.events import (
            DirCreatedEvent,
            DirDeletedEvent,
            DirMovedEvent,
            FileCreatedEvent,
            FileDeletedEvent,
            FileModifiedEvent,
            FileMovedEvent,
        )

        real = os.path.realpath(folder.path)
        with self._arming:
            if self._stopped:
                return None
            try:
                if self._observer is None:
                    self._observer = _start_observer()
                folder.watch = self._observer.schedule(
                    self._handler(folder, real),
                    real,
                    recursive=folder.recursive,
                    # Not the opening and closing of files: reading them would tell of a change.
                    event_filter=[
                        FileCreatedEvent,
                        FileModifiedEvent,
                        FileMovedEvent,
                        FileDeletedEvent,
                        DirCreatedEvent,
                        DirMovedEvent,
                        DirDeletedEvent,
                    ],
                )
            except OSError as error:
                return error
        return None

    def _disarm(self, folder: _Folder) -> None:
        watch, folder.watch = folder.watch, None
        if watch is None:
            return
        for other in self._folders.values():
            if other.watch == watch:  # the same directory by another path: looked up anew at the next check
                other.watch = other.identity = None
        with self._arming:
            if self._observer is not None:
                self._observer.unschedule(watch)

    def _handler(self, folder: _Folder, root: str) -> FileSystemEventHandler:
        from watchdog.events import FileSystemEvent, FileSystemEventHandler

        watch = self
        prefix = root.rstrip("/") + "/"

        class Handler(FileSystemEventHandler):
            def dispatch(self, event: FileSystemEvent) -> None:
                names = set()
                for raw in (event.src_path, event.dest_path):
                    path = os.fsdecode(raw)
                    if path == root and event.event_type == "deleted":
                        watch._call(watch._lost, folder)
                    elif path.startswith(prefix):
                        names.add(path[len(prefix) :])
                        if event.is_directory and folder.recursive and event.event_type != "deleted":
                            # Files may have come into a new directory before its own watch did.
                            below = _listing(path, recursive=True)
                            names.update(f"{path[len(prefix) :]}/{name}" for name, _ in below)
                if names:
                    watch._see(folder, names)

        return Handler()

    def _see(self, folder: _Folder, names: set[str]) -> None:
        """Collect names. In the observer's thread."""
        with self._lock:
            folder.pending |= names
            timed, folder.timed = folder.timed, True
        if not timed:
            self._call(self._flush_soon, folder)

    def _call(self, function: Callable[[_Folder], None], folder: _Folder) -> None:
        if self._loop is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(function, folder)
            except RuntimeError:  # the loop was closed just now: nobody is left to tell
                return

    def _flush_soon(self, folder: _Folder) -> None:
        if self._loop is not None:
            self._loop.call_later(COALESCE_S, self._flush, folder)

    def _flush(self, folder: _Folder) -> None:
        with self._lock:
            names, folder.pending = frozenset(folder.pending), set()
            folder.timed = False
        if names:
            self._tell(folder, names)


def _start_observer() -> BaseObserver:
    from watchdog.observers import Observer

    # Without these Python would print the library's warnings over the screen. That of the second line is harmless: a
    # folder made within a new folder is found twice, by its event and by the walk through the new one.
    logging.getLogger("watchdog").addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", message="Callback with id", category=RuntimeWarning)
    observer = Observer()
    observer.start()
    return observer


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - once a second for every directory
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _listing(path: str, *, recursive: bool) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Yield each file's name relative to ``path`` with what changes when it does."""
    try:
        entries = list(os.scandir(path))
    except OSError:
        return
    for entry in entries:
        try:
            status = entry.stat()
            below = recursive and entry.is_dir(follow_symlinks=False)
        except OSError:
            continue
        if below:
            for name, row in _listing(entry.path, recursive=True):
                yield f"{entry.name}/{name}", row
        else:
            yield entry.name, (status.st_mtime_ns, status.st_size, status.st_ino)


def _cause(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "no inotify watches left (raise fs.inotify.max_user_watches)"
    if error.errno == errno.EMFILE:
        return "no inotify instances left (raise fs.inotify.max_user_instances)"
    return str(error)
