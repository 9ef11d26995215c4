"""What Python keeps of compiled modules beside them: nothing is kept where the disk has no room for all of it.

Python up to 3.12.7 takes a half-written file of bytecode for written, and cannot import the module from then on, also
when there is room again: every tool call of every agent would stay refused. Source: CPython issue 126606.
"""

# ruff: noqa: PTH120 - importing pathlib costs more than all of this, and every hook asks
from __future__ import annotations

import os
import sys

ROOM = 16 << 20
"""Bytes that must be free where the modules are: several times what all of teamops' bytecode takes."""


def keep_whole() -> None:
    """Let Python write no bytecode in this process if the disk of the modules is about full. Never raises."""
    try:
        disk = os.statvfs(os.path.dirname(__file__))
    except OSError:
        return
    if disk.f_bavail * disk.f_frsize < ROOM:
        keep_none()


def keep_none() -> None:
    """Let Python write no bytecode in this process: one that runs for days, so that the disk may fill up meanwhile."""
    sys.dont_write_bytecode = True
