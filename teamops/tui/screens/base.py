"""What every screen of teamops can do: take a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import ModalScreen, Screen

from teamops.model.agent import AgentView
from teamops.model.handoff import Task
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot
from teamops.tui.tasks import find_task, first_task

if TYPE_CHECKING:
    from teamops.tui.app import TeamopsApp


class TeamScreen(Screen[None]):
    """A full screen that shows snapshots."""

    @property
    def team(self) -> TeamopsApp:
        """The app, with its own type."""
        app: Any = self.app
        teamops_app: TeamopsApp = app
        return teamops_app

    def show(self, snapshot: Snapshot) -> None:
        """Show ``snapshot``, drawing only what changed."""
        raise NotImplementedError

    @property
    def agent(self) -> AgentView | None:
        """The agent that p, r and a are about."""
        return None

    @property
    def chosen_task(self) -> Task | None:
        """The task that t and A are about: the agent's, else the one that most needs its person."""
        agent = self.agent
        if agent is not None and agent.lights:
            return find_task(self.team.snapshot, agent.lights[0])
        return first_task(self.team.snapshot)

    def action_findings(self) -> None:
        """List what is to be mended."""
        self.team.doors.findings()

    def action_task(self) -> None:
        """Open the task's own screen."""
        self.team.doors.task(self.chosen_task)

    def action_tasks(self) -> None:
        """List all tasks."""
        self.team.doors.tasks()

    def action_costs(self) -> None:
        """Show what the team cost."""
        self.team.doors.costs()

    def action_sign_off(self) -> None:
        """Open the sign-off window."""
        self.team.doors.sign_off(self.chosen_task)

    def action_palette(self) -> None:
        """Open the command palette."""
        self.app.action_command_palette()

    def action_help(self) -> None:
        """Show the keys."""
        self.team.open_help()

    def action_leave(self) -> None:
        """Leave the screen; the agents keep running."""
        self.team.leave()


class TeamWindow(ModalScreen[None]):
    """A window over the screen; it takes snapshots where they matter to it."""

    DEFAULT_CSS = """
    TeamWindow { align: center middle; background: $background 60%; }
    TeamWindow > .window {
        width: 76; max-width: 96%; height: auto; max-height: 92%;
        background: $surface; border: round $pane-focus; padding: 0 1;
    }
    """

    @property
    def team(self) -> TeamopsApp:
        """The app, with its own type."""
        app: Any = self.app
        teamops_app: TeamopsApp = app
        return teamops_app

    def show(self, snapshot: Snapshot) -> None:
        """Take ``snapshot``."""

    def action_back(self) -> None:
        """Close the window."""
        self.dismiss(None)


def find_agent(snapshot: Snapshot, role: Role) -> AgentView | None:
    """Return the agent of ``role``, or ``None`` where it is no longer in the team."""
    return next((agent for agent in snapshot.agents if agent.role == role), None)
