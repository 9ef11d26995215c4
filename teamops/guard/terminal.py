"""Typing into one's own terminal, forbidden: a program could leave a line there for the shell that goes on after it.

A filter of system calls (seccomp) refuses the two commands with which Linux lets that be done, TIOCSTI and the paste of
TIOCLINUX. Kernels since 6.2 can have the first turned off for all; most older ones can't.
"""

from __future__ import annotations

import ctypes
import os
import struct
from errno import EPERM

_IOCTL = {"x86_64": (16, 54, 0x40000000 + 514), "aarch64": (29, 54)}
"""The call's numbers by machine, those of its other kinds of programs (32 bit, x32) with them. No other call of these
numbers takes anything such as these commands in their place."""
_COMMANDS = (0x5412, 0x541C)
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER, _SECOND = 0, 24
"""Where the filter finds the call's number and the lower half of its second argument."""
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | EPERM
_SET_SECCOMP, _FILTER, _NO_NEW_PRIVS = 22, 2, 38


class TerminalError(Exception):
    """The kernel refused."""


def can_forbid() -> bool:
    """Return whether the filter can be made for this machine and kernel."""
    try:
        with open("/proc/self/status", "rb") as file:  # noqa: PTH123 - importing pathlib costs more than all of this
            return os.uname().machine in _IOCTL and b"\nSeccomp:" in file.read()
    except OSError:
        return False


def forbid_typing() -> None:
    """Refuse it to this process and all its children. Raises ``TerminalError``."""
    numbers = _IOCTL.get(os.uname().machine)
    if numbers is None:
        raise TerminalError(f"no filter of system calls is known for {os.uname().machine}")
    program = [(_LOAD, 0, 0, _NUMBER)]
    program += [(_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    program += [(_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _SECOND)]
    program += [(_EQUAL, len(_COMMANDS) - at, 0, command) for at, command in enumerate(_COMMANDS)]
    program += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)]
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    steps = ctypes.create_string_buffer(code, len(code))
    told = struct.pack("HP", len(program), ctypes.addressof(steps))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _FILTER, told, 0, 0):
        raise TerminalError(f"typing into the terminal can't be forbidden: {os.strerror(ctypes.get_errno())}")
