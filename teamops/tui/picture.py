"""The README's picture of the screen: ``python -m teamops.tui.picture OUT.svg``."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

from teamops.config.settings import Settings
from teamops.model.actions import Outcome
from teamops.model.agent_report import AgentReport
from teamops.model.boundary import Decision
from teamops.model.cost_report import CostReport
from teamops.model.day_report import DayReport
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block
from teamops.model.protocol import TaskReport
from teamops.model.role import Role
from teamops.model.snapshot import AttachPlan, Intent, Snapshot
from teamops.tui.believable import believable
from teamops.tui.believable_agent import believable_agent_report
from teamops.tui.believable_boundary import believable_refused, believable_violation_diff
from teamops.tui.believable_cost_report import believable_cost_report
from teamops.tui.believable_day import believable_day_report
from teamops.tui.believable_handoff import believable_blocks
from teamops.tui.believable_protocol import believable_diff, believable_report


class StillPort:
    """A supervisor that stands still at one snapshot."""

    def __init__(self, snapshot: Snapshot, texts: dict[int, str]) -> None:
        self._snapshot = snapshot
        self._texts = texts

    def snapshot(self) -> Snapshot:
        """Return the snapshot."""
        return self._snapshot

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:  # noqa: ARG002 - never called
        """Return a function that does nothing: there will be no news."""
        return lambda: None

    def send(self, intent: Intent) -> None:
        """Do nothing."""

    def act(self, intent: Intent, timeout_s: float = 10.0) -> Outcome:  # noqa: ARG002 - nothing is done
        """Say that nothing is done."""
        return Outcome(ok=False, message="This is a picture.")

    def poke_text(self, role: Role) -> str:
        """Return a line like a real one."""
        return f"It is your turn, {role}: read the last block of current.md and go on."

    def block_text(self, block: Block) -> str:
        """Return the block's text."""
        try:
            return self._texts[block.index]
        except KeyError:
            raise TeamopsError("That block is not in the picture.") from None

    def task_report(self, task: str | None) -> TaskReport:
        """Return a task's report."""
        return believable_report(self._snapshot, task)

    def tamper_diff(self, tamper: int) -> tuple[str, ...]:  # noqa: ARG002 - there is one
        """Return the difference of the rewritten block."""
        return believable_diff()

    def decisions(self, role: Role | None = None) -> tuple[Decision, ...]:
        """Return what hooks have refused."""
        return tuple(one for one in believable_refused() if role in (None, one.role))

    def violation_diff(self, violation: int) -> tuple[str, ...]:  # noqa: ARG002 - there is one
        """Return the change of the one that stands."""
        return believable_violation_diff()

    def agent_report(self, role: Role) -> AgentReport:
        """Return what is remembered of an agent."""
        return believable_agent_report(self._snapshot, role)

    def cost_report(self) -> CostReport:
        """Return what the team cost."""
        return believable_cost_report(self._snapshot)

    def day_report(self, last: date | None, days: int = 1) -> DayReport:
        """Return what the day was like."""
        return believable_day_report(self._snapshot, last, days)

    def screen(self, role: Role) -> str:
        """Return a pane like a real one."""
        return f"\x1b[1m● {role}\x1b[0m works…"

    def attach(self, role: Role) -> AttachPlan:
        """Refuse."""
        raise TeamopsError(f"{role} is a picture.")


async def take_picture(width: int = 120, height: int = 36) -> str:
    """Return the SVG of the believable team's screen."""
    from teamops.tui.app import TeamopsApp

    os.environ.pop("NO_COLOR", None)  # whose wish is for a terminal, not for a picture in a document
    _, texts = believable_blocks()
    root = Path("/home/ada/notify-hub")
    settings = Settings(root=root, project="notify-hub", handoff=root / "current.md", roles=())
    app = TeamopsApp(StillPort(believable(), texts), settings, colours="rich", monotonic=lambda: 0.0)
    async with app.run_test(size=(width, height)) as pilot:
        for _ in range(500):
            await pilot.pause()
            if app.desk.handoff.view.drawn:
                break
            await asyncio.sleep(0.01)
        await pilot.pause()
        # The id that the export makes up is another one each time; the picture has to be the same.
        return re.sub(r"terminal-\d+", "teamops", app.export_screenshot(title="teamops"))


def main() -> None:
    """Write the picture to the file that is named."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m teamops.tui.picture OUT.svg\n")
        sys.exit(2)
    Path(sys.argv[1]).write_text(asyncio.run(take_picture()), encoding="utf-8")


if __name__ == "__main__":
    main()
