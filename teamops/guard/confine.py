"""The program that an agent's command is started through: it binds itself by the plan and becomes the command.

``python -I -S …/guard/confine.py PLAN -- CMD…``. It fails closed: where the plan can't be applied to its last line, the
command is not started, and the exit status is 125. 126 and 127 mean, as with a shell, that the command can't be run, or
is not there.
"""

# ruff: noqa: PTH120, PTH100, PTH123 - importing pathlib costs more than all of this
from __future__ import annotations

import os
import signal
import sys

if __name__ == "__main__":
    # As a program, with no site-packages to be looked through.
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from teamops.guard.landlock import LandlockError, restrict
from teamops.guard.terminal import TerminalError, forbid_typing

NOT_CONFINED = 125
NOT_RUNNABLE = 126
NOT_FOUND = 127
VERSION = 1
WAITING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
"""What the program around it ignores, so that the agent's own end is waited for."""


class Wrong(Exception):  # noqa: N818 - it is the word for a plan, not for a failure of the program
    """The plan can't be applied."""


def main(words: list[str]) -> int:
    """Bind this process and become the command. Returns only where nothing is started."""
    if len(words) < 3 or words[1] != "--":
        return _refuse("wrong use: confine.py PLAN -- CMD…")
    try:
        plan = read(words[0])
        if plan.landlock:
            restrict(plan.writable, plan.landlock)
        if plan.no_typing:
            forbid_typing()
    except (Wrong, LandlockError, TerminalError) as error:
        return _refuse(str(error))
    for number in WAITING:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.closerange(3, _most_open())
    return _become(words[2:])


class Plan:
    """What the kernel is to hold."""

    __slots__ = ("landlock", "no_typing", "writable")

    def __init__(self, landlock: int, writable: list[str], *, no_typing: bool) -> None:
        self.landlock = landlock
        """The version of Landlock that is needed; 0 = none is used."""
        self.writable = writable
        self.no_typing = no_typing
        """Its terminal can't be typed into."""


def read(path: str) -> Plan:
    """Return the plan in the file ``path``. Raises ``Wrong``."""
    import json

    try:
        with open(path, "rb") as file:
            told = json.load(file)
    except OSError as error:
        raise Wrong(f"the plan {path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Wrong(f"the plan {path} is damaged") from error
    if not isinstance(told, dict) or told.get("v") != VERSION:
        raise Wrong(f"the plan {path} is another version's")
    landlock, writable, no_typing = told.get("landlock"), told.get("writable"), told.get("no_typing")
    if type(landlock) is not int or landlock < 0 or not isinstance(writable, list) or type(no_typing) is not bool:
        raise Wrong(f"the plan {path} is damaged")
    if not all(isinstance(each, str) and each.startswith("/") for each in writable):
        raise Wrong(f"the plan {path} is damaged")
    return Plan(landlock, writable, no_typing=no_typing)


def _become(command: list[str]) -> int:
    try:
        os.execvp(command[0], command)  # noqa: S606 - a program, without a shell
    except FileNotFoundError:
        sys.stderr.write(f"{command[0]}: not found\n")
        return NOT_FOUND
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{command[0]}: {error}\n")
        return NOT_RUNNABLE


def _most_open() -> int:
    """Return a number above every open descriptor: what was open before the rules is not held by them."""
    try:
        return max(map(int, os.listdir("/proc/self/fd"))) + 1  # noqa: PTH208
    except (OSError, ValueError):
        return 65536


def _refuse(why: str) -> int:
    sys.stderr.write(f"teamops: not started, because its boundary can't be held: {why}\n")
    return NOT_CONFINED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
