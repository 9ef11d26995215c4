"""Thousands of folders watched by one descriptor and no thread: inotify itself.

The shared ``Watch`` gives each folder, or each whole tree, an observer of its own. A work tree needs its folders one by
one, for those that git ignores (packages, caches) would be most of them.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import struct
from collections.abc import Callable

CREATE, DELETE, MODIFY, ATTRIB, MOVED_FROM, MOVED_TO = 0x100, 0x200, 0x2, 0x4, 0x40, 0x80
CLOSE_WRITE = 0x8
ISDIR, IGNORED, OVERFLOW = 0x40000000, 0x8000, 0x4000
_ONLYDIR, _DONT_FOLLOW, _EXCL_UNLINK = 0x01000000, 0x02000000, 0x04000000
_MASK = CREATE | DELETE | MODIFY | ATTRIB | MOVED_FROM | MOVED_TO | CLOSE_WRITE
_MASK |= _ONLYDIR | _DONT_FOLLOW | _EXCL_UNLINK
_HEADER = struct.Struct("iIII")
_READ = 1 << 16

Told = Callable[[str, str, int], None]
"""Takes the folder, the name in it (empty = the folder itself) and the mask. An overflow has no folder."""


class Inotify:
    """Folders watched, each alone. All methods are for the loop's thread."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._libc: ctypes.CDLL | None = None
        self._fd = -1
        self._folders: dict[int, str] = {}
        self._watches: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._folders)

    def open(self) -> str:
        """Begin, in the running loop; return why that can't be, or nothing."""
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "inotify_init1"):
            return "this system has no inotify"
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            return _cause(ctypes.get_errno())
        self._libc = libc
        asyncio.get_running_loop().add_reader(self._fd, self.read)
        return ""

    def close(self) -> None:
        """End all watches."""
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
        self._folders.clear()
        self._watches.clear()

    def add(self, folder: str) -> str:
        """Watch ``folder``; return why that can't be, or nothing. One that is not there is no trouble."""
        if self._libc is None or self._fd < 0:
            return "inotify is not open"
        watch = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), _MASK)
        if watch < 0:
            code = ctypes.get_errno()
            return "" if code in {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP} else _cause(code)
        before = self._folders.get(watch)
        if before is not None and before != folder:
            self._watches.pop(before, None)  # it was moved: the same folder by another name
        self._folders[watch] = folder
        self._watches[folder] = watch
        return ""

    def drop(self, folder: str, *, below: bool) -> None:
        """Watch ``folder`` no longer. ``below``: nor what is in it, which looks at every folder that is watched."""
        start = folder + "/"
        for path in [folder, *(path for path in self._watches if below and path.startswith(start))]:
            watch = self._watches.pop(path, None)
            if watch is None:
                continue
            self._folders.pop(watch, None)
            if self._libc is not None:
                self._libc.inotify_rm_watch(self._fd, watch)

    def read(self) -> None:
        """Tell what is there to be told."""
        try:
            raw = os.read(self._fd, _READ)
        except OSError:
            return
        at = 0
        while at + _HEADER.size <= len(raw):
            watch, mask, _, length = _HEADER.unpack_from(raw, at)
            name = raw[at + _HEADER.size : at + _HEADER.size + length].rstrip(b"\0")
            at += _HEADER.size + length
            if mask & OVERFLOW:
                self._told("", "", mask)
            elif mask & IGNORED:
                folder = self._folders.pop(watch, None)
                if folder is not None and self._watches.get(folder) == watch:
                    del self._watches[folder]
            elif (folder := self._folders.get(watch)) is not None and name:
                self._told(folder, os.fsdecode(name), mask)


def _cause(code: int) -> str:
    if code == errno.ENOSPC:
        return "no inotify watches left (raise fs.inotify.max_user_watches)"
    if code == errno.EMFILE:
        return "no inotify instances left (raise fs.inotify.max_user_instances)"
    return os.strerror(code)
