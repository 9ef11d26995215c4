"""A channel that hangs, or breaks, at its start or at its page: said in time, and nobody else waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from teamops.effects.channels import trying
from teamops.effects.channels.trying import all_started, attempted
from teamops.model.handoff import Severity
from teamops.model.page import Answer, Page, Receipt, Transition

PAGE = Page(
    id="p1", transition=Transition.FIRED, keys=(), thread="t", severity=Severity.CRITICAL, project="shop",
    title="t", body="b", do="", wall=0.0,
)  # fmt: skip


class Way:
    def __init__(self, name: str, reason: str = "", *, hangs: bool = False, breaks: bool = False) -> None:
        self.name = name
        self.limit_s = 0.05
        self._reason = reason
        self._hangs = hangs
        self._breaks = breaks

    async def start(self, hear: Callable[[Answer], None]) -> str:  # noqa: ARG002 - the port's
        await self._act()
        return self._reason

    async def deliver(self, page: Page) -> Receipt:  # noqa: ARG002 - the port's
        await self._act()
        return Receipt(ok=True, message="shown")

    async def close(self) -> None:
        pass

    async def _act(self) -> None:
        if self._breaks:
            raise ValueError("password=hunter2xyz\x1b[31m")
        if self._hangs:
            await asyncio.Event().wait()


async def test_one_that_never_starts_is_said_and_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "START_S", 0.1)
    ways = [
        *(Way(f"hangs{number}", hangs=True) for number in range(50)),
        Way("breaks", breaks=True),
        Way("absent", "nobody there"),
        Way("well"),
    ]
    async with asyncio.timeout(3.0):
        reasons = await all_started(ways, lambda _: None)
    assert reasons.pop("absent") == "nobody there"
    assert reasons.pop("breaks") == "breaks: ValueError: password=[secret]"
    assert set(reasons) == {f"hangs{number}" for number in range(50)}
    assert reasons["hangs7"] == "hangs7 was not ready within 0.1 s"


async def test_who_ends_does_not_wait_for_one_that_never_starts() -> None:
    starting = asyncio.create_task(all_started([Way("hangs", hangs=True)], lambda _: None))
    await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_a_try_ends_in_a_receipt_whatever_happens() -> None:
    assert await attempted(Way("well"), PAGE) == Receipt(ok=True, message="shown")
    late = await attempted(Way("hangs", hangs=True), PAGE)
    assert (late.ok, late.retry, late.message) == (False, True, "no answer within 0.05 s")
    broken = await attempted(Way("breaks", breaks=True), PAGE)
    assert (broken.ok, broken.retry, broken.message) == (False, False, "ValueError: password=[secret]")
    assert broken.hint == trying.DEFECT
