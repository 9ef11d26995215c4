"""Drives a program in a real terminal: a private tmux server whose screen is read back as a person would see it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import psutil

from tests import strays

MARK = "TEAMOPS_TEST_TERMINAL"
POLL_S = 0.05

T = TypeVar("T")

_CONFIGURATION = """\
set -s escape-time 10
set -s exit-empty off
set -g status off
set -g remain-on-exit on
set -g default-terminal tmux-256color
set -g history-limit 2000
"""


class NotSeenError(AssertionError):
    """What was waited for did not appear; the message ends with the screen as it was."""


class Terminal:
    """A program in a terminal of its own. A context manager: ``close`` ends all that the program started."""

    def __init__(
        self,
        argv: Sequence[str],
        cols: int = 120,
        rows: int = 36,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tt-", dir="/tmp"))  # short: it is a socket's path
        self.socket = self._folder / "s"
        self._mark = uuid.uuid4().hex
        configuration = self._folder / "tmux.conf"
        configuration.write_text(_CONFIGURATION, encoding="utf-8")
        self._env = {name: value for name, value in os.environ.items() if name not in ("TMUX", "TMUX_PANE")}
        self._env |= {MARK: self._mark, "SHELL": "/bin/sh", "COLORTERM": "truecolor", **(env or {})}
        self._configuration = str(configuration)
        try:
            self._tmux(
                "new-session", "-d", "-x", str(cols), "-y", str(rows), "-c", str(cwd or Path.cwd()),
                f"exec {shlex.join(argv)}",
            )  # fmt: skip
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The program's process."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    @property
    def ended(self) -> bool:
        """Whether the program has ended; its last screen can still be read."""
        # Dead without a status and a signal: its terminal is closed, but how it ended is not known yet.
        facts = "#{pane_pid} #{pid} #{pane_dead} #{pane_dead_status}#{pane_dead_signal}"
        pid, server, dead, *how = self._tmux("display-message", "-p", facts).split()
        if dead == "1" and how:
            return True
        if dead == "1" or strays.is_zombie(int(pid)):
            # Some builds of tmux (libutempter's) lose a child's SIGCHLD; another one makes them look again.
            os.kill(int(server), signal.SIGCHLD)
        return False

    @property
    def exit_status(self) -> int | None:
        """The ended program's exit status; ``None`` while it runs or when a signal ended it."""
        text = self._tmux("display-message", "-p", "#{pane_dead_status}").strip()
        return int(text) if text else None

    def keys(self, *names: str) -> None:
        """Press keys by tmux's names ("p", "Enter", "C-c", "Escape")."""
        self._tmux("send-keys", "--", *names)

    def type(self, text: str) -> None:
        """Type ``text`` as it stands; it must not end in ``;`` (tmux drops that one)."""
        if text.endswith(";"):
            raise ValueError(text)
        self._tmux("send-keys", "-l", "--", text)

    def text(self, *, history: bool = False) -> str:
        """Return what the screen shows, without colours, trailing blanks cut."""
        return self._tmux("capture-pane", "-p", *(("-S", "-") if history else ()))

    def colours(self) -> str:
        """Return what the screen shows, with its SGR sequences."""
        return self._tmux("capture-pane", "-p", "-e")

    def resize(self, cols: int, rows: int) -> None:
        """Change the terminal's size."""
        self._tmux("resize-window", "-x", str(cols), "-y", str(rows))

    def wait_for(self, pattern: str, timeout: float = 10.0) -> re.Match[str]:
        """Return the first match of ``pattern`` (multi-line) on the screen.

        Raises ``NotSeenError`` with the last screen when ``timeout`` seconds have passed or the program has ended.
        """
        return self.until(lambda screen: re.search(pattern, screen, re.MULTILINE), f"/{pattern}/", timeout)

    def until(self, look: Callable[[str], T | None], what: str, timeout: float = 10.0) -> T:
        """Return the first answer of ``look`` (given the screen) that is neither ``None`` nor false.

        Raises ``NotSeenError`` as ``wait_for`` does.
        """
        end = time.monotonic() + timeout
        while True:
            # Asked before the screen is read: a program's last words count.
            ended = self.ended
            screen = self.text(history=ended)  # tmux's own last line pushes the first one out
            if found := look(screen):
                return found
            if ended or time.monotonic() > end:
                why = f"the program ended (status {self.exit_status})" if ended else f"{timeout:g} s passed"
                raise NotSeenError(f"{why} before {what} was seen\n{framed(screen)}")
            time.sleep(POLL_S)

    def wait_gone(self, pattern: str, timeout: float = 10.0) -> None:
        """Wait until ``pattern`` is on the screen no more; raises ``NotSeenError``."""
        end = time.monotonic() + timeout
        while re.search(pattern, screen := self.text(), re.MULTILINE):
            if time.monotonic() > end:
                raise NotSeenError(f"/{pattern}/ was still there after {timeout:g} s\n{framed(screen)}")
            time.sleep(POLL_S)

    def wait_end(self, timeout: float = 10.0) -> int | None:
        """Wait until the program has ended and return its exit status; raises ``NotSeenError``."""
        end = time.monotonic() + timeout
        while not self.ended:
            if time.monotonic() > end:
                raise NotSeenError(f"the program still runs after {timeout:g} s\n{framed(self.text())}")
            time.sleep(POLL_S)
        return self.exit_status

    def process(self, argv: Sequence[str]) -> psutil.Process:
        """Return the process of this terminal that was started as ``argv`` (the interpreter's own path may differ)."""
        (found,) = (one for one in strays.marked(MARK, self._mark) if one.cmdline()[1:] == list(argv[1:]))
        return found

    def given_back(self) -> bool:
        """Return whether no program has the alternate screen or the mouse any more."""
        return self._tmux("display-message", "-p", "#{alternate_on}#{mouse_any_flag}").strip() == "00"

    def left_running(self, deadline_s: float = 0.0) -> list[str]:
        """Return the processes that the ended program left behind, given ``deadline_s`` to go by themselves."""
        own = {self.pid, int(self._tmux("display-message", "-p", "#{pid}"))}
        left = strays.settle(lambda: [p for p in strays.marked(MARK, self._mark) if p.pid not in own], deadline_s)
        return [f"{process.pid} {process.name()}" for process in left]

    def close(self) -> None:
        """End the program, this terminal and every process that came out of it."""
        strays.kill(strays.marked(MARK, self._mark))
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), "-f", self._configuration, *arguments],
            env=self._env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"tmux {shlex.join(arguments)}: {done.stderr.strip()}")
        return done.stdout


def framed(screen: str) -> str:
    """Return ``screen`` between rules, for a message."""
    return "\n".join(["┌" + "─" * 20, *("│" + line for line in screen.rstrip("\n").split("\n")), "└" + "─" * 20])
