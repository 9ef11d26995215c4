"""A supervisor in a process of its own, to be killed: hands its person one light after the other, and pages for each.

    python -m tests.e2e.paging_life FOLDER COUNT

Each delivery is a line with the page's id in FOLDER/heard, and a file of that name in FOLDER/shown, as a channel that
knows ids makes one notification of each. Ends when COUNT lights were given and no page waits any more.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from teamops.config.settings import NotifySettings
from teamops.domain.paging import PagingPolicy
from teamops.model.page import Page, Receipt
from teamops.model.role import CODER, DIRECTOR, HUMAN
from tests.unit.supervisor.life import Ear, Life, block


class Pager(Ear):
    """Writes down what it delivers, so that it survives the kill."""

    def __init__(self, folder: Path) -> None:
        super().__init__("desktop", [])
        self.folder = folder

    async def deliver(self, page: Page) -> Receipt:
        """Deliver ``page``, and say so a little later, as every channel does: there a kill leaves nobody knowing."""
        line = os.open(self.folder / "heard", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(line, f"{page.id} {page.keys[0][1]}\n".encode())
        (self.folder / "shown" / page.id).touch()
        await asyncio.to_thread(os.fsync, line)
        os.close(line)
        return Receipt(ok=True, message="shown")


async def main(folder: Path, count: int) -> None:
    """Live until all is told."""
    policy = PagingPolicy(group_wait_s=0.0, group_interval_s=0.0, cap=10_000)
    life = Life(folder, notify=NotifySettings(channels=("desktop",)), paging=policy, start=time.time())
    life.ears = {"desktop": Pager(folder)}
    life.handoff.touch()
    await life.begin(CODER)
    given = life.handoff.read_text(encoding="utf-8").count("### [")
    for number in range(given, count):
        await life.append(block(DIRECTOR, HUMAN, task=f"t{number}"))
    while life.ledger.outbox.waiting() or len(life.alerts("human-turn")) < count:
        await life.ticks(1)
    await life.end()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
