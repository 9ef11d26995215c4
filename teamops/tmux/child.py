"""A tmux client as a child process whose end never has to be waited for longer than a kill takes.

A tmux client hands its own standard input and output to the server. When the server hangs, they stay open after the
client was killed, and a wait for the end of its output would never end: so both are closed from this side.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import cast

from teamops.tmux.socket import plain_env

STDOUT = 1


def _is_news(record: logging.LogRecord) -> bool:
    # Killing a client asks how it ended, and so may learn it before asyncio's own watcher does, which then complains.
    return not str(record.msg).startswith("Unknown child process")


logging.getLogger("asyncio").addFilter(_is_news)


class Child(asyncio.SubprocessProtocol):
    """A running client. ``take(fd, data)`` gets what it prints; ``ended`` is done when it and its pipes are gone."""

    def __init__(self, take: Callable[[int, bytes], None], on_end: Callable[[], None] = lambda: None) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._take = take
        self._on_end = on_end
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Hand on what it prints."""
        self._take(fd, data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Take the end of its output for its own."""
        del exc
        if fd == STDOUT:
            self._on_end()

    def process_exited(self) -> None:
        """Take its end."""
        self._on_end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Everything is gone."""
        del exc
        if not self.ended.done():
            self.ended.set_result(None)

    @property
    def pid(self) -> int:
        """Its process."""
        return (self._transport.get_pid() or 0) if self._transport else 0

    @property
    def returncode(self) -> int | None:
        """How it ended, or ``None``."""
        return self._transport.get_returncode() if self._transport else None

    def write(self, data: bytes) -> None:
        """Give it input. A client whose server hangs takes none: what is written then is dropped with it."""
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        if isinstance(pipe, asyncio.WriteTransport):
            pipe.write(data)

    def end_input(self) -> None:
        """Close its input: how a control client is told to leave."""
        pipe = self._transport.get_pipe_transport(0) if self._transport else None
        if pipe is not None:
            pipe.close()

    def kill(self) -> None:
        """Kill it and close its pipes; ``ended`` follows within moments."""
        if self._transport is not None:
            self._transport.close()


async def spawn(
    words: Sequence[str],
    take: Callable[[int, bytes], None],
    on_end: Callable[[], None] = lambda: None,
    *,
    listens: bool = False,
) -> Child:
    """Start a client in an environment without a surrounding tmux."""
    _, child = await asyncio.get_running_loop().subprocess_exec(
        lambda: Child(take, on_end),
        *words,
        stdin=asyncio.subprocess.PIPE if listens else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL if listens else asyncio.subprocess.PIPE,
        env=plain_env(),
    )
    return child
