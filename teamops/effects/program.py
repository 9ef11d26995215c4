"""A program run to its end, or to its deadline: nothing of it stays, and of what it says only the last lines.

It gets a terminal session of its own, without a terminal: what it starts is ended with it, whatever it ignores.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from teamops.model.text import clean, clean_line

TAIL_LINES = 40
LINE_LIMIT = 400
"""Characters of a line that are kept."""
LEAVE_S = 1.0
"""So long what a program leaves running may still write before it is ended."""
_POLL_S = 0.1
_CHUNK = 1 << 16

Tell = Callable[[float, str], None]
"""Told some times a second: seconds since the start, and the last line of output so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended."""

    ok: bool
    """Exit status 0, in time."""
    status: int | None
    """``None``: it was not started, or was ended by a signal."""
    why: str
    """How it failed, in words; empty where it didn't."""
    tail: tuple[str, ...]
    """The last lines it wrote, cleaned."""
    seconds: float
    interrupted: bool = False
    """By the person."""


class Tail:
    """The last lines of what a program writes, in bounded room. A lone CR ends a line, as a progress bar writes it."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._open = b""
        self._cut = False
        """The open line has lost its beginning."""

    def feed(self, data: bytes) -> None:
        """Take what was written."""
        *whole, rest = (self._open + data).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        if whole:
            whole[0] = self._whole(whole[0])
            self._cut = False
        self._lines.extend(line for line in whole[-4 * TAIL_LINES :] if line.strip())
        self._cut = self._cut or len(rest) > 4 * LINE_LIMIT
        self._open = rest[-4 * LINE_LIMIT :]  # a line that never ends is kept by its end

    def _whole(self, line: bytes) -> bytes:
        """Return the open ``line`` without half a word at its beginning: half a secret has no shape any more."""
        return b"\xe2\x80\xa6 " + b" ".join(line.split(maxsplit=1)[1:]) if self._cut else line

    def lines(self) -> tuple[str, ...]:
        """Return the last lines, cleaned; empty ones are left out."""
        shown = (_shown(line) for line in (*self._lines, self._whole(self._open)))
        return tuple(line for line in shown if line)[-TAIL_LINES:]

    def last(self) -> str:
        """Return the last line that says something."""
        for line in (self._whole(self._open), *reversed(self._lines)):
            if shown := _shown(line):
                return shown
        return ""


def run_program(
    words: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    timeout_s: float,
    tell: Tell = lambda _, __: None,
    *,
    given: bytes = b"",
) -> Ended:
    """Run ``words`` without a shell, ``given`` as its standard input, and return how it ended. Blocks.

    An interruption (``KeyboardInterrupt``) ends the program and is told in the result; a second one kills at once.
    """
    begun = time.monotonic()
    try:
        with _source(given) as source:
            child = subprocess.Popen(
                list(words),
                cwd=cwd,
                env=dict(env),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                start_new_session=True,
            )
    except OSError as error:
        return Ended(ok=False, status=None, why=_not_started(words[0], cwd, error), tail=(), seconds=0.0)
    tail = Tail()
    late = interrupted = False
    try:
        late = not _follow(child, tail, begun, timeout_s, tell)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        left = _end(child)
    ended = Ended(
        ok=False, status=None, why="", tail=tail.lines(), seconds=time.monotonic() - begun, interrupted=interrupted
    )
    if interrupted or late:
        why = "interrupted" if interrupted else f"did not end within {_seconds(timeout_s)} and was ended"
        return replace(ended, why=why + (f"; still there: pid {', '.join(map(str, left))}" if left else ""))
    code = child.returncode
    if code < 0:
        return replace(ended, why=f"ended by {_signal(-code)}")
    return replace(ended, ok=code == 0, status=code, why=f"exit status {code}" if code else "")


@contextmanager
def _source(given: bytes) -> Iterator[IO[bytes] | int]:
    """Give what a program reads. A file, not a pipe: one that reads nothing keeps nobody waiting.

    In memory where the system can: there may be secrets in it.
    """
    if not given:
        yield subprocess.DEVNULL
        return
    in_memory = hasattr(os, "memfd_create")
    with os.fdopen(os.memfd_create("given"), "w+b") if in_memory else tempfile.TemporaryFile() as file:
        file.write(given)
        file.seek(0)
        yield file


def _follow(child: subprocess.Popen[bytes], tail: Tail, begun: float, timeout_s: float, tell: Tell) -> bool:
    """Read until the program has ended and its output, too; return whether that was in time."""
    assert child.stdout is not None  # noqa: S101 - a pipe was asked for
    output = child.stdout.fileno()
    os.set_blocking(output, False)
    told = ended_at = 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        reading = True
        while True:
            now = time.monotonic()
            if now - begun > timeout_s and not ended_at:
                return False
            if not ended_at and child.poll() is not None:
                ended_at = now
            if ended_at and (not reading or now - ended_at > LEAVE_S):
                return True
            if now - told >= _POLL_S:
                told = now
                tell(now - begun, tail.last())
            if not reading:
                with suppress(subprocess.TimeoutExpired):
                    child.wait(_POLL_S)
            elif selector.select(_POLL_S):
                data = os.read(output, _CHUNK)
                tail.feed(data)
                if not data:
                    reading = False
                    selector.unregister(output)


def _end(child: subprocess.Popen[bytes]) -> list[int]:
    """End what is left of the program and of all that it started; return what lives on even so."""
    from teamops.tmux.ending import end_session

    left: list[int] = []
    try:
        left = end_session(child.pid)
    except KeyboardInterrupt:
        left = end_session(child.pid, 0.0)
    finally:
        if child.stdout is not None:
            child.stdout.close()
        with suppress(subprocess.TimeoutExpired):
            child.wait(1.0)
    return left


def _not_started(program: str, cwd: Path, error: OSError) -> str:
    name = clean_line(program, 120)
    if not cwd.is_dir():
        return f"the folder {clean_line(str(cwd), 120)} is not there"
    if isinstance(error, FileNotFoundError):
        return f"there is no program {name}: install it, or mend its name in teamops.toml"
    if isinstance(error, PermissionError):
        return f"{name} can't be run: is it executable?"
    return f"{name} can't be started: {error.strerror or error}"


def _signal(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds >= 1 else f"{seconds:g} s"


def _shown(line: bytes) -> str:
    text = clean(line.decode("utf-8", "replace")).replace("\n", " ").expandtabs(4).rstrip()
    return text if len(text) <= LINE_LIMIT else text[: LINE_LIMIT - 1] + "…"
