"""A tmux server of a test's own: its socket in a short folder, no configuration, gone at the end."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from teamops.tmux.socket import Socket

T = TypeVar("T")
DEADLINE_S = 8.0


class PrivateTmux:
    """Runs the tmux program on a private socket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = Socket(path=str(folder / "s"))

    def __call__(self, *words: str, check: bool = True) -> str:
        env = {name: value for name, value in os.environ.items() if name not in {"TMUX", "TMUX_PANE"}}
        done = subprocess.run(
            ["tmux", "-u", "-f", "/dev/null", "-S", self.socket.path, *words],
            env=env,
            capture_output=True,
            timeout=10,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if check and done.returncode:
            raise AssertionError(f"tmux {words}: {done.stderr.decode()}")
        return done.stdout.decode()

    def new(self, session: str, command: str = "exec cat", *, keep: bool = True) -> str:
        """Make a session; return its pane."""
        made = ["new-session", "-d", "-s", session, "-x", "100", "-y", "30", "-P", "-F", "#{pane_id}", command]
        keeping = [";", "set-option", "-p", "-t", f"={session}:", "remain-on-exit", "on"] if keep else []
        return self(*made, *keeping).strip()

    def ask(self, target: str, form: str) -> str:
        return self("display-message", "-p", "-t", target, form).rstrip("\n")

    def screen(self, target: str) -> str:
        return self("capture-pane", "-p", "-t", target)

    def kill(self) -> None:
        self("kill-server", check=False)

    def server_pid(self) -> int:
        return int(self("list-sessions", "-F", "#{pid}").split()[0])


@contextmanager
def private_tmux(folder: Path) -> Iterator[PrivateTmux]:
    """Give a private server's handle, and end the server."""
    tmux = PrivateTmux(folder)
    try:
        yield tmux
    finally:
        tmux.kill()


async def until(what: str, condition: Callable[[], T], deadline_s: float = DEADLINE_S) -> T:
    """Wait until ``condition`` gives something true, and return it."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        await asyncio.sleep(0.01)
    return value


async def until_async(what: str, condition: Callable[[], Awaitable[T]], deadline_s: float = DEADLINE_S) -> T:
    """Do the same for a condition that has to be awaited."""
    end = time.monotonic() + deadline_s
    while not (value := await condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        await asyncio.sleep(0.01)
    return value
