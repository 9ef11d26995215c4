"""A program in a pseudo-terminal whose output is read as it comes, to the millisecond."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn, Self

import psutil

_SEQUENCES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])")
_GIVE_UP_S = 30.0


class Program:
    """A running program. A context manager that ends it."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, cols: int = 120, rows: int = 36) -> None:
        self.started = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            _become(argv, env, cwd, cols, rows)
        self._raw = ""
        self._tail = b""

    def until(self, seen: Callable[[str], bool], since: int = 0, deadline_s: float = _GIVE_UP_S) -> float:
        """Read until the text printed from ``since`` on is ``seen``; return that moment (``time.perf_counter``).

        Raises ``TimeoutError`` with the end of what was printed.
        """
        end = time.perf_counter() + deadline_s
        while True:
            text = _SEQUENCES.sub(" ", self._raw[since:])
            if seen(text):
                return time.perf_counter()
            if time.perf_counter() > end:
                raise TimeoutError(f"not seen within {deadline_s:g} s; the last output was: {text[-1500:]!r}")
            self.drain(0.5, once=True)

    def drain(self, seconds: float, *, once: bool = False) -> None:
        """Read on for so long; ``once``: only until something came."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            ready, _, _ = select.select([self._terminal], [], [], left)
            if not ready:
                return
            try:
                data = os.read(self._terminal, 1 << 16)
            except OSError as error:
                raise TimeoutError(f"the program ended; it said: {_SEQUENCES.sub(' ', self._raw)[-3000:]}") from error
            self._raw += data.decode("utf-8", "replace")
            if once:
                return

    @property
    def printed(self) -> int:
        """How much has been printed: a place for ``until``'s ``since``."""
        return len(self._raw)

    def processes(self) -> list[psutil.Process]:
        """Return the program and its children."""
        program = psutil.Process(self.pid)
        return [program, *program.children(recursive=True)]

    def close(self) -> None:
        """End the program as a person who closes the window does, and make sure of it."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            end = time.perf_counter() + 5
            while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
                if time.perf_counter() > end:
                    os.kill(self.pid, signal.SIGKILL)
                    os.waitpid(self.pid, 0)
                    break
                self._throw_away()
        except (ProcessLookupError, ChildProcessError):
            pass
        finally:
            os.close(self._terminal)

    def _throw_away(self) -> None:
        ready, _, _ = select.select([self._terminal], [], [], 0.02)
        if ready:
            try:
                os.read(self._terminal, 1 << 16)
            except OSError:
                time.sleep(0.02)  # it has closed its side and is about to end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _become(argv: Sequence[str], env: Mapping[str, str], cwd: Path, cols: int, rows: int) -> NoReturn:
    try:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        os.chdir(cwd)
        os.execvpe(argv[0], list(argv), dict(env))  # noqa: S606 - no shell is wanted
    except OSError as error:
        os.write(2, str(error).encode())
    os._exit(127)


def busy(program: Program, seconds: float) -> float:
    """Return per cent of a core used over the next ``seconds``."""
    began, before = time.perf_counter(), cpu_s(program.processes())
    program.drain(seconds)
    return 100 * (cpu_s(program.processes()) - before) / (time.perf_counter() - began)


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Return the CPU seconds that ``processes`` have used; to the nanosecond where the kernel tells."""
    total = 0.0
    for process in processes:
        try:
            total += _by_schedstat(process.pid)
        except OSError:
            times = process.cpu_times()
            total += times.user + times.system
    return total


def _by_schedstat(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9
