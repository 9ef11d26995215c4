"""What teamops does: each action is on record before it begins, runs beside the loop, and comes back as an event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from teamops.domain import log_lines
from teamops.effects.run import Effects
from teamops.model.actions import Action, Outcome, Quarantine, Restart
from teamops.model.events import ActionFinished

if TYPE_CHECKING:
    from teamops.model.role import Role
    from teamops.supervisor.core import Core


class Acting:
    """The actions of one life of a supervisor. Belongs to its loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}
        self._busy: set[tuple[str, str]] = set()
        self.effects: Effects | None = None
        """``None`` while teamops is starting."""

    def under_way(self, kind: type[Action], role: Role) -> bool:
        """Return whether an action of that kind is being done for ``role``."""
        return (kind.__name__, str(role)) in self._busy

    def begin(self, action: Action, check: Callable[[bytes], None] | None = None) -> asyncio.Future[Outcome]:
        """Record ``action`` as begun and run it; its end comes back as an event. ``check``: see ``Effects.run``."""
        core = self._core
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        whose = action.violation if isinstance(action, Quarantine) else action.role
        key = (type(action).__name__, str(whose))
        if key in self._busy:
            future.set_result(
                Outcome(ok=False, message=f"{action.role}: the same is already under way", hint="wait for its end")
            )
            return future
        action_id = core.memory.action_begun(core.book, action)
        core.deliverer.begun(core.book, action_id, action)
        core.restarter.begun(core.book, action_id, action)
        self._waiting[action_id] = future
        self._busy.add(key)
        core.spawn(self._carry_out(action_id, action, key, check), f"action {action_id}")
        return future

    async def _carry_out(
        self, action_id: int, action: Action, key: tuple[str, str], check: Callable[[bytes], None] | None
    ) -> None:
        try:
            if self.effects is None:
                outcome = Outcome(ok=False, message="teamops is still starting", hint="try again")
            else:
                outcome = await self.effects.run(action, check)
        except Exception as error:
            # A defect, which is told as this task's end, too. Whoever waits is told, and nothing is typed once more.
            said = f"a defect of teamops: {type(error).__name__}"
            outcome = Outcome(ok=False, message=said, hint="look what came of it; and please report it", touched=True)
            self._core.emit(ActionFinished(self._core.stamp(), action_id, action, outcome))
            raise
        finally:
            self._busy.discard(key)
        self._core.emit(ActionFinished(self._core.stamp(), action_id, action, outcome))

    def finish(self, event: ActionFinished) -> None:
        """Take how an action has ended: on record, in the log, and to whoever waits for it."""
        core = self._core
        core.book.news = True
        core.memory.action_finished(core.book, event)
        if isinstance(event.action, Restart) and event.outcome.ok:
            core.book.agent(event.action.role).restarts += 1
        core.book.note(log_lines.action_line(event.stamp.wall, event.action, event.outcome))
        future = self._waiting.pop(event.action_id, None)
        if future is not None and not future.done():
            future.set_result(event.outcome)

    def recover(self) -> None:
        """Close what an earlier life began and did not end. Call once, when effects are there."""
        self._core.memory.recover(self._core.book)
