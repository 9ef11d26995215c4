"""Landlock: the kernel's own list of what a process and all its children may write, never to be widened again.

It needs no privileges and binds root, too. Reading and executing stay allowed. The kernel is asked by system calls,
whose numbers are the same on all architectures. Source: Documentation/userspace-api/landlock.rst of Linux 6.15.
"""

# ruff: noqa: PTH112 - importing pathlib costs more than all of this
from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence
from errno import E2BIG, ENOENT, ENOSYS, EOPNOTSUPP

LATEST = 7
"""The newest version of the kernel's interface that is known here; a newer kernel is asked for no more than this."""
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVS = 38

_WRITE_FILE = 1 << 1
_ALWAYS = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
"""Writing, removing and making files, folders, sockets, pipes, devices and links."""
_REFER = 1 << 13
_TRUNCATE = 1 << 14
_IOCTL_DEV = 1 << 15
_OF_FILES = _WRITE_FILE | _TRUNCATE | _IOCTL_DEV
_SCOPES = 1 << 0 | 1 << 1
"""Abstract sockets, and signals: both stay inside."""

HOLDS_EMPTYING = 3
"""Since this version of it a file that can't be written can't be emptied either."""
_LACKS = (
    (2, "moving and linking files from one folder into another is refused everywhere"),
    (HOLDS_EMPTYING, "a file that can't be written can still be emptied (truncate)"),
    (5, "device files can still be commanded (ioctl)"),
    (6, "abstract sockets and signals still reach every process of the same user"),
)


class LandlockError(Exception):
    """The kernel refused; its text says what."""


def abi() -> int:
    """Return the version of Landlock that the kernel offers; 0 = none, or it is turned off."""
    version = _syscall(_CREATE, None, 0, _VERSION)
    return max(0, version)


def lacks(version: int) -> tuple[str, ...]:
    """Return in words what Landlock of that version does not hold, of what the newest does."""
    if version < 1:
        return ("the kernel has no Landlock",)
    return tuple(words for since, words in _LACKS if version < since)


def restrict(writable: Sequence[str], version: int) -> None:
    """Let this process, and all that it becomes or starts, write beneath ``writable`` alone, from now on.

    ``version``: what is used of it, which the kernel must offer. Raises ``LandlockError`` where the kernel
    or one of the paths refuses: then nothing is certain, and nothing may be started.
    """
    offered = abi()
    if not 1 <= version <= min(offered, LATEST):
        raise LandlockError(f"Landlock {version} is asked for, and the kernel offers {offered}")
    handled = _handled(version)
    ruleset = struct.pack("QQQ", handled, 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    rules = _syscall(_CREATE, ctypes.create_string_buffer(ruleset[:size], size), size, 0)
    if rules < 0:
        raise LandlockError(f"no set of rules can be made: {_error()}")
    try:
        for path in writable:
            _allow(rules, path, handled)
        if _libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise LandlockError(f"privileges can't be given up: {_error()}")
        if _syscall(_RESTRICT, rules, 0):
            raise LandlockError(f"the rules are refused: {_error()}")
    finally:
        os.close(rules)


def _handled(version: int) -> int:
    handled = _ALWAYS
    for since, access in ((2, _REFER), (3, _TRUNCATE), (5, _IOCTL_DEV)):
        if version >= since:
            handled |= access
    return handled


def _allow(rules: int, path: str, handled: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise LandlockError(f"{path}: {error.strerror}") from error
    try:
        access = handled if os.path.isdir(path) else handled & _OF_FILES
        rule = struct.pack("=Qi", access, opened)
        if _syscall(_ADD, rules, _PATH_BENEATH, ctypes.create_string_buffer(rule, len(rule)), 0):
            raise LandlockError(f"{path} can't be allowed: {_error()}")
    finally:
        os.close(opened)


def _syscall(number: int, *arguments: object) -> int:
    # Each as long as a register: an int alone would be passed with half of it undefined.
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return int(_libc.syscall(ctypes.c_long(number), *words))


def _error() -> str:
    number = ctypes.get_errno()
    known = {ENOSYS: "the kernel has no Landlock", EOPNOTSUPP: "Landlock is turned off", E2BIG: "the kernel is older"}
    return known.get(number) or os.strerror(number or ENOENT)


_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
