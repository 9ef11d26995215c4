"""The ways to the screens about the protocol: each is imported when it is first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teamops.model.handoff import Task
from teamops.tui.faults import Fault, block_at
from teamops.tui.rules import why_no_block, why_no_diff, why_no_sign_off, why_no_task

if TYPE_CHECKING:
    from teamops.tui.app import TeamopsApp


class Doors:
    """Opens a screen, or says why there is nothing to open."""

    def __init__(self, team: TeamopsApp) -> None:
        self._team = team

    def _refused(self, reason: str) -> bool:
        if reason:
            self._team.refuse(reason)
        return bool(reason)

    def findings(self) -> None:
        """List problems and findings."""
        from teamops.tui.screens.findings import FindingsScreen

        if not isinstance(self._team.screen, FindingsScreen):
            self._team.push_screen(FindingsScreen(self._team.palette, self._team.snapshot))

    def task(self, task: Task | None) -> None:
        """Open a task's own screen; where it is open, show the task there."""
        if self._refused(why_no_task(task, self._team.snapshot)) or task is None:
            return
        from teamops.tui.screens.task import TaskScreen

        for screen in reversed(self._team.screen_stack):
            if isinstance(screen, TaskScreen):
                screen.choose(task.task)
                while self._team.screen is not screen:
                    self._team.pop_screen()
                return
        self._team.push_screen(TaskScreen(task.task, self._team.palette, self._team.snapshot))

    def tasks(self) -> None:
        """List all tasks."""
        if self._refused(why_no_task(None, self._team.snapshot) if not self._team.snapshot.tasks else ""):
            return
        from teamops.tui.screens.tasks import TasksScreen

        if not isinstance(self._team.screen, TasksScreen):
            self._team.push_screen(TasksScreen(self._team.palette, self._team.snapshot))

    def costs(self) -> None:
        """Show what the team cost; where that is open, show it there."""
        from teamops.tui.screens.costs import CostScreen

        for screen in reversed(self._team.screen_stack):
            if isinstance(screen, CostScreen):
                while self._team.screen is not screen:
                    self._team.pop_screen()
                return
        self._team.push_screen(CostScreen(self._team.palette, self._team.snapshot))

    def alert_codes(self, code: str = "") -> None:
        """List every alert there is, the cursor on ``code``."""
        from teamops.tui.screens.codes import CodesScreen

        if not isinstance(self._team.screen, CodesScreen):
            rules = self._team.settings.alert_rules
            self._team.push_screen(CodesScreen(rules, self._team.palette, self._team.snapshot, code))

    def boundaries(self) -> None:
        """List what got past the boundaries and what was refused; where that is open, show it there."""
        from teamops.tui.screens.boundaries import BoundariesScreen

        for screen in reversed(self._team.screen_stack):
            if isinstance(screen, BoundariesScreen):
                while self._team.screen is not screen:
                    self._team.pop_screen()
                return
        self._team.push_screen(BoundariesScreen(self._team.palette, self._team.snapshot))

    def day_report(self) -> None:
        """Show the day's report; where that is open, show it there."""
        from teamops.tui.screens.report import ReportScreen

        for screen in reversed(self._team.screen_stack):
            if isinstance(screen, ReportScreen):
                while self._team.screen is not screen:
                    self._team.pop_screen()
                return
        self._team.push_screen(ReportScreen(self._team.palette, self._team.snapshot))

    def sign_off(self, task: Task | None) -> None:
        """Show a task's whole chain, to sign it off or to send it back."""
        if self._refused(why_no_sign_off(task, self._team.snapshot)) or task is None:
            return
        from teamops.tui.screens.sign_off import SignOffWindow

        self._team.push_screen(SignOffWindow(task.task, self._team.palette, self._team.snapshot))

    def diff(self, fault: Fault | None) -> None:
        """Show what was changed in a block that was handed on."""
        if self._refused(why_no_diff(fault)) or fault is None:
            return
        from teamops.tui.screens.diff import DiffScreen

        self._team.push_screen(DiffScreen(fault, self._team.palette))

    def line(self, line: int) -> None:
        """Go to a line of the handoff file: its block in the handoff pane, scrolled to it."""
        snapshot = self._team.snapshot
        if self._refused(why_no_block(line, snapshot)):
            return
        self._to_desk()
        self._team.desk.show_line(max(0, block_at(snapshot.blocks, line)), line)

    def block(self, index: int) -> None:
        """Go to a block in the handoff pane."""
        blocks = self._team.snapshot.blocks
        if 0 <= index < len(blocks):
            self._to_desk()
            self._team.desk.show_line(index, blocks[index].line)

    def _to_desk(self) -> None:
        while self._team.screen is not self._team.desk and len(self._team.screen_stack) > 1:
            self._team.pop_screen()
