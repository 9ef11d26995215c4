"""The supervisor in a thread of its own, as the port that a screen holds."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from teamops.config.settings import Settings
from teamops.model.actions import Outcome
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Block
from teamops.model.pane import Pane
from teamops.model.role import Role
from teamops.model.snapshot import AttachPlan, Intent, PokeRole, Snapshot, SupervisorView
from teamops.model.text import clean
from teamops.supervisor.pokes import poke_text
from teamops.supervisor.run import supervise_forever

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from teamops.model.agent_report import AgentReport
    from teamops.model.boundary import Decision
    from teamops.model.cost_report import CostReport
    from teamops.model.day_report import DayReport
    from teamops.model.protocol import TaskReport
    from teamops.supervisor.core import Core

QUERY_S = 2.0
PROOF_S = 3.0
"""So long the word on a person's poke waits for its proof; the log tells of one that comes later."""
REPORT_S = 10.0
"""A report may ask git about a long history."""
MAX_BLOCK_BYTES = 2_000_000
"""More of one block is not shown; the file has the rest."""

T = TypeVar("T")


class SupervisorThread:
    """Runs a supervisor in a thread; fulfils ``model.snapshot.SupervisorPort``.

    ``screen``: one begins beside it, and says by ``screen_stands`` that what its first frame did not need may begin.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        state_dir: Path | None = None,
        ring: Callable[[str], bool] | None = None,
        screen: bool = False,
    ) -> None:
        from teamops.sources.clock import Clock

        self._settings = settings
        self._state_dir = state_dir
        self._ring = ring
        self._clock = Clock()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[Snapshot], None]] = []
        self._core: Core | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drawn = asyncio.Event() if screen else None
        self._task: asyncio.Task[None] | None = None
        self._failed = ""
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._snapshot = Snapshot(
            revision=0,
            stamp=self._clock.stamp(),
            project=settings.project,
            root=str(settings.root),
            handoff_path=str(settings.handoff),
            supervisor=SupervisorView(pid=None, acting=False, since_wall=None, watch_only=settings.watch_only),
        )

    def start(self) -> None:
        """Begin to supervise."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End, with all sources torn down; agents keep running."""
        loop, task = self._loop, self._task
        if loop is not None and task is not None and self._thread.is_alive():
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:  # it has just ended by itself
                return
            self._thread.join(timeout_s)

    def screen_stands(self) -> None:
        """Take that the screen has its first frame."""
        loop, drawn = self._loop, self._drawn
        if loop is not None and drawn is not None:
            try:
                loop.call_soon_threadsafe(drawn.set)
            except RuntimeError:  # it has ended by itself
                return

    @property
    def failed(self) -> str:
        """Why the supervisor ended by itself; empty while all is well."""
        return self._failed

    def _run(self) -> None:
        try:
            asyncio.run(self._supervise())
        except asyncio.CancelledError:
            return
        except TeamopsError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - a thread's end must be seen, whatever it was
            self._fail(f"{type(error).__name__}: {error}")

    async def _supervise(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()

        def on_core(core: Core | None) -> None:
            self._core = core

        await supervise_forever(
            self._settings,
            self._publish,
            state_dir=self._state_dir,
            ring=self._ring,
            on_core=on_core,
            clock=self._clock,
            drawn=self._drawn,
        )

    def _fail(self, why: str) -> None:
        from msgspec.structs import replace

        self._failed = why
        before = self.snapshot()
        self._publish(
            replace(
                before,
                revision=before.revision + 1,
                supervisor=replace(before.supervisor, pid=None, acting=False, since_wall=None, ended=why),
                troubles=(f"the supervisor ended: {why}", *before.troubles),
            )
        )

    def _publish(self, snapshot: Snapshot) -> None:
        with self._lock:
            self._snapshot = snapshot
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            callback(snapshot)

    # the port

    def snapshot(self) -> Snapshot:
        """Return the newest snapshot."""
        with self._lock:
            return self._snapshot

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call back with each new snapshot, in the supervisor's thread; the returned function ends it."""
        with self._lock:
            self._callbacks.append(callback)

        def end() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return end

    def send(self, intent: Intent) -> None:
        """Hand over an intent; its outcome comes in the log."""
        core, loop = self._alive()
        loop.call_soon_threadsafe(core.wish, intent)

    def act(self, intent: Intent, timeout_s: float = 10.0) -> Outcome:
        """Send an intent and wait for its outcome."""
        core, _ = self._alive()

        async def wish() -> Outcome:
            outcome = await core.wish(intent)
            return (
                await core.deliverer.proof(intent.role, outcome, PROOF_S) if isinstance(intent, PokeRole) else outcome
            )

        return self._wait(wish(), timeout_s)

    def poke_text(self, role: Role) -> str:
        """Return the line that a poke types now."""
        snapshot = self.snapshot()
        if all(agent.role != role for agent in snapshot.agents):
            raise TeamopsError(f"{role} is no role of this team", "the team stands in teamops.toml")
        return poke_text(snapshot, role)

    def block_text(self, block: Block) -> str:
        """Return the block as it stands in the file now."""
        try:
            with self._settings.handoff.open("rb") as file:
                file.seek(block.start)
                raw = file.read(min(block.end - block.start, MAX_BLOCK_BYTES))
        except OSError as error:
            raise TeamopsError(
                f"can't read {self._settings.handoff}: {error.strerror}", "is the file there?"
            ) from error
        text = clean(raw.decode("utf-8", "replace"))
        if f"[{block.role}]" not in text.partition("\n")[0].upper():
            raise TeamopsError(
                f"the block of {block.role} is no more at line {block.line}", "the file was just rewritten: look again"
            )
        if block.end - block.start > MAX_BLOCK_BYTES:
            text += f"\n\n… cut here; the whole block is in {self._settings.handoff.name}, line {block.line}"
        return text

    def task_report(self, task: str | None) -> TaskReport:
        """Return the whole chain of a task."""
        core, _ = self._alive()
        return self._wait(core.task_report(task), REPORT_S)

    def agent_report(self, role: Role) -> AgentReport:
        """Return all that is remembered of an agent."""
        core, _ = self._alive()
        return self._wait(core.agent_report(role), QUERY_S)

    def cost_report(self) -> CostReport:
        """Return what the project's agents cost."""
        core, _ = self._alive()
        return self._wait(core.cost_report(), QUERY_S)

    def day_report(self, last: date | None, days: int = 1) -> DayReport:
        """Return the report of the days that end with ``last``, or today."""
        core, _ = self._alive()
        return self._wait(core.day_report(last, days), REPORT_S)

    def tamper_diff(self, tamper: int) -> tuple[str, ...]:
        """Return the lines of a unified diff of a rewritten block, cleaned."""
        core, _ = self._alive()

        async def ask() -> tuple[str, ...]:
            return core.tamper_diff(tamper)

        return self._wait(ask(), QUERY_S)

    def decisions(self, role: Role | None = None) -> tuple[Decision, ...]:
        """Return what the agents' hooks refused or warned of lately, newest first."""
        core, _ = self._alive()

        async def ask() -> tuple[Decision, ...]:
            return core.decisions(role)

        return self._wait(ask(), QUERY_S)

    def violation_diff(self, violation: int) -> tuple[str, ...]:
        """Return the lines of a unified diff of a change past a boundary, cleaned."""
        core, _ = self._alive()

        async def ask() -> tuple[str, ...]:
            return core.violation_diff(violation)

        return self._wait(ask(), QUERY_S)

    def screen(self, role: Role) -> str:
        """Return the agent's visible screen with its colours."""
        core, _ = self._alive()
        pane = self._pane(core, role)
        server = core.server
        if server is None:
            raise TeamopsError(f"{role} is not managed", "name its session in teamops.toml")
        return self._wait(server.capture(pane.pane_id, ansi=True), QUERY_S)

    def attach(self, role: Role) -> AttachPlan:
        """Return how to attach to the role's session."""
        from teamops.tmux.attach import attach_plan

        core, _ = self._alive()
        pane = self._pane(core, role)
        server = core.server
        if server is None:
            raise TeamopsError(f"{role} is not managed", "name its session in teamops.toml")
        return attach_plan(server.socket, pane.session, os.environ)

    def _pane(self, core: Core, role: Role) -> Pane:
        page = core.book.agents.get(role)
        if page is None or page.pane is None:
            settings = self._settings.role(role)
            name = f' "{settings.session}"' if settings else ""
            raise TeamopsError(f"{role} has no session{name}", "start it with r")
        return page.pane

    def _alive(self) -> tuple[Core, asyncio.AbstractEventLoop]:
        core, loop = self._core, self._loop
        if core is None or loop is None:
            raise TeamopsError(self._failed or "the supervisor is still starting", "try again in a moment")
        return core, loop

    def _wait(self, work: Coroutine[object, object, T], timeout_s: float) -> T:
        _, loop = self._alive()
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            future.cancel()
            raise TeamopsError(f"no answer within {timeout_s:.0f} s", "is the tmux server well?") from error
