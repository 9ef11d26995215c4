"""The one door through which actions leave: ``run(action)`` gives an outcome, always."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from teamops.config.settings import Settings
from teamops.guard import holds
from teamops.model.actions import (
    Action,
    Append,
    Outcome,
    Poke,
    Quarantine,
    Restart,
    Start,
    Stop,
    StopSpending,
    WriteReport,
)
from teamops.model.agent_report import Launch
from teamops.model.budget import Step
from teamops.model.errors import TeamopsError
from teamops.model.pane import Pane
from teamops.model.role import Role
from teamops.tmux.deliver import LIFT
from teamops.tmux.server import Server


class Effects:
    """Runs actions. ``server`` is ``None`` where no tmux is managed."""

    def __init__(
        self,
        settings: Settings,
        server: Server | None,
        pane_of: Callable[[Role], Pane | None],
        launch_of: Callable[[Role], Launch | None] = lambda _: None,
        folder: Path | None = None,
    ) -> None:
        self._settings = settings
        self._server = server
        self._pane_of = pane_of
        self._launch_of = launch_of
        self._folder = folder or settings.root / ".teamops"

    async def run(self, action: Action, check: Callable[[bytes], None] | None = None) -> Outcome:
        """Do ``action`` and say truthfully how it ended. Never raises but for cancellation.

        ``check`` is an append's last look at the file, under its lock: what it raises is why nothing was written.
        """
        try:
            if isinstance(action, Append):
                from teamops.effects.append import append_block

                return await append_block(self._settings.handoff, action, check)
            if isinstance(action, Quarantine):
                from teamops.effects.quarantine import quarantine

                return await asyncio.to_thread(quarantine, self._folder, action)
            if isinstance(action, WriteReport):
                from teamops.effects.reports import write_report

                return await asyncio.to_thread(write_report, action, self._settings.root)
            return await self._on_pane(action)
        except TeamopsError as error:
            return Outcome(ok=False, message=error.message, hint=error.hint)
        except Exception as error:  # noqa: BLE001 - a port: becomes an outcome that a person sees
            return Outcome(ok=False, message=f"{type(error).__name__}: {error}", hint="this is a defect of teamops")

    async def hindrance(self, role: Role) -> str:
        """Return why no line can be typed for ``role`` now; empty = one can. Never raises but for cancellation."""
        from teamops.effects.poke import hindrance

        settings = self._settings.role(role)
        if self._server is None or settings is None:
            return f"{role} is not managed"
        if why := self.held(role):
            return why
        try:
            return await hindrance(self._server, settings)
        except TeamopsError as error:
            return error.message

    def held(self, role: Role) -> str:
        """Return why ``role`` may not spend, whichever process has stopped it; empty = it may."""
        if not (self._folder / holds.FOLDER).is_dir():
            return ""  # nobody was ever held here
        return holds.reason(holds.path_of(str(self._folder), role))

    async def _on_pane(self, action: Poke | Restart | Start | Stop | StopSpending) -> Outcome:
        role = self._settings.role(action.role)
        if isinstance(action, Poke | Restart | Start) and (why := self.held(action.role)):
            return Outcome(ok=False, message=why, hint=LIFT)
        if isinstance(action, StopSpending) and action.step is Step.GATE:
            from teamops.effects.hard_stop import gate

            return await gate(self._folder, role, action)
        if self._server is None or role is None:
            return Outcome(
                ok=False,
                message=f"{action.role} is not managed",
                hint="name the role and its session in teamops.toml; without it teamops only watches",
            )
        if isinstance(action, Poke):
            from teamops.effects.poke import poke

            return await poke(self._server, role, self._pane_of(action.role), action, partial(self.held, action.role))
        if isinstance(action, StopSpending):
            from teamops.effects.hard_stop import interrupt, no_pokes

            if action.step is Step.POKES:
                return await no_pokes(self._server, role, partial(self.held, action.role))
            return await interrupt(self._server, role)
        if isinstance(action, Start | Restart):
            from teamops.effects.policies import write_policies

            await asyncio.to_thread(write_policies, self._settings, self._folder)
        if isinstance(action, Start):
            from teamops.effects.start import start

            launch = self._launch_of(action.role)
            return await start(self._server, role, self._settings.root, self._folder, launch, self._settings)
        if isinstance(action, Stop):
            from teamops.effects.stop import stop

            return await stop(self._server, role, action, self._launch_of(action.role))
        from teamops.effects.restart import restart

        return await restart(
            self._server,
            role,
            self._settings.project,
            self._settings.root,
            self._pane_of(action.role),
            action,
            self._launch_of(action.role),
            self._folder,
            self._settings,
        )
