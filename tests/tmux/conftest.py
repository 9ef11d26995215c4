"""Fixtures around a private tmux server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from teamops.tmux.server import Server
from tests.tmux.private import PrivateTmux, private_tmux

MakeServer = Callable[..., Awaitable[Server]]


@pytest.fixture
def tmux(short_dir: Path) -> Iterator[PrivateTmux]:
    with private_tmux(short_dir) as handle:
        yield handle


@pytest.fixture
async def make_server(tmux: PrivateTmux) -> AsyncIterator[MakeServer]:
    made: list[Server] = []

    async def make(*sessions: str) -> Server:
        server = Server(tmux.socket, sessions)
        made.append(server)
        await server.start()
        return server

    yield make
    for server in made:
        await server.close()
