"""Lives of a supervisor, one after the other or at once, in one project."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from teamops.model.role import Role
from teamops.supervisor import core
from tests.unit.supervisor.life import START, Life

Begin = Callable[..., Awaitable[Life]]


@pytest.fixture
async def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Begin]:
    """Give what begins a life after the one before; all of one project."""
    monkeypatch.setattr(core, "PUBLISH_S", 0.0)
    lives: list[Life] = []

    async def begin(*with_session: Role, **kind: object) -> Life:
        start = lives[-1].wall + 10 if lives else START
        life = Life(tmp_path / "p", start=start, **kind)  # type: ignore[arg-type]  # passed through
        lives.append(life)
        return await life.begin(*with_session)

    yield begin
    for life in lives:
        await life.end()
