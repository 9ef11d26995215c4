"""The program that ``teamops doctor`` and each start put where an agent would be: it tries what is to be held.

``python -I -S …/guard/canary.py``, told by standard input what to try, as JSON; what came of it is printed as JSON. It
writes no file that is there: each has a name of its own, is made anew or not at all, and is taken away at once.

It also calls the client's hooks, as the client would: by the very line, inside the same boundary. Those that are to
be asked with a policy of their own get a folder that is gone afterwards; MARK in their words stands for it.
"""

# ruff: noqa: PTH102, PTH103, PTH106, PTH108, PTH118, PTH120, PTH123, SIM105 - each import costs a start more
from __future__ import annotations

import json
import os
import sys
import time

MARK = "@teamops-canary@"
"""In the words, input and files of a call: the folder that is made for it."""
NAME = ".teamops-canary-"
"""What every file that is tried is called, before something that no other one is called."""
MAX_SAID = 4000
"""Bytes that are kept of what a hook says."""
_POLL_S = 0.002
DONE = "done"

TYPE_CHECKING = False  # what `typing` says, without its cost
if TYPE_CHECKING:
    from typing import Any

    Told = dict[str, Any]
else:
    Told = dict


def main() -> int:
    """Try all that is asked for, and say what came of it."""
    told: Told = json.loads(sys.stdin.buffer.read())
    answer: Told = {
        "writes": [write(path) for path in told.get("writes", ())],
        "opens": [open_to_write(path) for path in told.get("opens", ())],
        "sockets": [connect(path) for path in told.get("sockets", ())],
        "signals": [signal(pid) for pid in told.get("signals", ())],
        "empties": [empty(path) for path in told.get("empties", ())],
        "reads": [os.access(path, os.R_OK) for path in told.get("reads", ())],
    }
    begun = time.monotonic()
    answer["calls"] = call_all(told.get("calls", []), float(told.get("limit_s", 6.0)))
    answer["calls_ms"] = round((time.monotonic() - begun) * 1000)
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    return 0


def write(path: str) -> str:
    """Make the file ``path``, which is not there, write to it and take it away again: done, or why not."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        return error.strerror or str(error)
    try:
        os.write(handle, b"teamops doctor\n")
    except OSError as error:
        return error.strerror or str(error)
    finally:
        os.close(handle)
        try:
            os.unlink(path)
        except OSError:
            pass  # who asked looks once more from outside
    return DONE


def open_to_write(path: str) -> str:
    """Open the file ``path``, which is there, and write nothing: done, or why not."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK))
    except OSError as error:
        return error.strerror or str(error)
    return DONE


def empty(path: str) -> str:
    """Empty the file ``path``, which was made for that, without opening it to write: done, or why not."""
    try:
        os.truncate(path, 0)
    except OSError as error:
        return error.strerror or str(error)
    return DONE


def connect(path: str) -> str:
    """Connect to a socket; one that begins with ``@`` is an abstract one. Done, or why not."""
    import _socket

    door = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        door.settimeout(1.0)
        door.connect("\0" + path[1:] if path.startswith("@") else path)
    except OSError as error:
        return error.strerror or str(error)
    finally:
        door.close()
    return DONE


def signal(pid: int) -> str:
    """Ask whether a signal could be sent to ``pid``: done, or why not. None is sent."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.strerror or str(error)
    return DONE


def call_all(calls: list[Told], limit_s: float) -> list[Told]:
    """Run all calls at once and return what each answered: status (``None`` = not within the limit), words, time."""
    if not calls:
        return []
    base = _folder()
    try:
        running = [_Running(call, os.path.join(base, str(at))) for at, call in enumerate(calls)]
        while any(one.goes_on(limit_s) for one in running):
            time.sleep(_POLL_S)
        return [one.answer() for one in running]
    finally:
        _remove(base)


class _Running:
    """One call of a hook."""

    def __init__(self, call: Told, base: str) -> None:
        self._base = base
        for name, text in {"/in": call["told"], **call.get("files", {})}.items():
            _put(base + name, text.replace(MARK, base))
        os.makedirs(base + "/project", exist_ok=True)
        words = [word.replace(MARK, base) for word in call["words"]]
        env = {name: value.replace(MARK, base) for name, value in call["env"].items()}
        self._pid, self._status, self._late = 0, 127, False
        self._ms = 0.0
        self._begun = time.monotonic()
        new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        try:
            self._pid = os.posix_spawnp(
                words[0],
                words,
                env,
                setpgroup=0,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, base + "/in", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, base + "/out", new, 0o600),
                    (os.POSIX_SPAWN_OPEN, 2, base + "/err", new, 0o600),
                ],
            )
        except OSError as error:
            _put(base + "/err", error.strerror or str(error))

    def goes_on(self, limit_s: float) -> bool:
        """Return whether it still runs; one that takes too long is ended."""
        if not self._pid:
            return False
        ended, told = os.waitpid(self._pid, os.WNOHANG)
        took = time.monotonic() - self._begun
        if not ended and took <= limit_s:
            return True
        if not ended:
            self._late = True
            _end(self._pid)
            _, told = os.waitpid(self._pid, 0)
        self._status, self._pid, self._ms = os.waitstatus_to_exitcode(told), 0, took * 1000
        return False

    def answer(self) -> Told:
        return {
            "status": None if self._late else self._status,
            "out": _text(self._base + "/out"),
            "said": _text(self._base + "/err"),
            "ms": round(self._ms),
        }


def _end(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, 9)
        except OSError:
            continue


def _folder() -> str:
    """Make the folder for the calls, where what is not kept goes."""
    from _random import Random

    for place in (os.environ.get("TMPDIR", ""), "/tmp", "/var/tmp"):  # noqa: S108 - a name of its own
        path = os.path.join(place, f"teamops-canary-{os.getpid()}-{Random(os.urandom(8)).getrandbits(32):08x}")
        try:
            os.mkdir(path, 0o700)
        except OSError:
            continue
        return path
    raise OSError("there is no folder for what is not kept")


def _put(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_SAID).decode("utf-8", "replace")
    except OSError:
        return ""


def _remove(folder: str) -> None:
    for at, folders, files in os.walk(folder, topdown=False):
        for name in files:
            os.unlink(os.path.join(at, name))
        for name in folders:
            os.rmdir(os.path.join(at, name))
    os.rmdir(folder)


if __name__ == "__main__":
    sys.exit(main())
