"""Finds what a test left running.

Every process that a test starts inherits a mark in its environment, so that even a daemon that gave itself a new
session and another parent (a tmux server does) can be told from everybody else's processes.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

import psutil

_ACCUSTOMED = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Live until the interpreter ends, by design of the standard library."""


def marked(name: str, value: str) -> list[psutil.Process]:
    """Return the living processes, but this one, that were started with ``name=value`` in their environment."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _has(process, name, value)]


def naming(text: str) -> list[psutil.Process]:
    """Return the living processes, but this one, whose command line has ``text`` in it (a folder of the test's)."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _says(process, text)]


def children() -> list[psutil.Process]:
    """Return this process's living descendants."""
    return [process for process in psutil.Process().children(recursive=True) if _lives(process)]


def settle(find: Callable[[], list[psutil.Process]], deadline_s: float) -> list[psutil.Process]:
    """Return what ``find`` still finds when nothing is left or ``deadline_s`` has passed."""
    end = time.monotonic() + deadline_s
    while (left := find()) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def kill(processes: list[psutil.Process]) -> list[str]:
    """Kill ``processes`` and return what each of them was, for a message."""
    names = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            names.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
            process.kill()
    settle(lambda: [process for process in processes if _lives(process)], 5.0)
    return names


def is_zombie(pid: int) -> bool:
    """Return whether the process has ended and nobody has asked for its status yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and not any(
            word in " ".join(process.cmdline()) for word in _ACCUSTOMED
        )
    except psutil.Error:
        return False


def _says(process: psutil.Process, text: str) -> bool:
    try:
        return text in " ".join(process.cmdline()) and _lives(process)
    except psutil.Error:
        return False


def _has(process: psutil.Process, name: str, value: str) -> bool:
    try:
        return process.environ().get(name) == value and _lives(process)
    except (psutil.Error, OSError):
        return False
