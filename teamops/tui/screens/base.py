"""What every screen of teamops can do: take a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from textual.screen import ModalScreen, Screen
from textual.timer import Timer

from teamops.model.agent import AgentView
from teamops.model.handoff import Task
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot
from teamops.tui.tasks import find_task, first_task

if TYPE_CHECKING:
    from teamops.tui.app import TeamopsApp


class TeamScreen(Screen[None]):
    """A full screen that shows snapshots."""

    _looking: tuple[Timer, Callable[[], None]] | None = None

    def look_every(self, seconds: float, look: Callable[[], None]) -> None:
        """Ask for more than snapshots tell, again and again while the screen is shown."""
        timer = self.set_interval(seconds, look, name=type(self).__name__, pause=not self._live)
        self._looking = timer, look

    @property
    def _live(self) -> bool:
        """Something changes without a new snapshot: not so in a replay."""
        return self.team.snapshot.replay is None

    def look_again(self) -> None:
        """Ask now."""
        if self._looking is not None:
            self._looking[1]()

    def on_screen_suspend(self) -> None:
        """Stop looking under another screen."""
        if self._looking is not None:
            self._looking[0].pause()

    def on_screen_resume(self) -> None:
        """Look again."""
        self.team.dress(self)
        if self._looking is not None and self._live:
            self._looking[0].resume()
        self.look_again()

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

    def action_alert_codes(self) -> None:
        """List every alert there is."""
        self.team.doors.alert_codes()

    def action_boundaries(self) -> None:
        """List what got past the boundaries, and what was refused."""
        self.team.doors.boundaries()

    def action_day_report(self) -> None:
        """Show the day's report."""
        self.team.doors.day_report()

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


class AgentScreen(TeamScreen):
    """A screen on which something can be done with an agent."""

    def action_poke(self) -> None:
        """Open the poke window on the agent."""
        self.team.open_poke(self.agent)

    def action_restart(self) -> None:
        """Ask whether to restart the agent."""
        self.team.open_restart(self.agent)

    def action_start_agent(self) -> None:
        """Start the agent."""
        self.team.start_agent(self.agent)

    def action_stop_agent(self) -> None:
        """Ask whether to stop the agent."""
        self.team.open_stop(self.agent)

    def action_lift(self) -> None:
        """Ask for the new limit of who is held."""
        self.team.open_lift(self.agent)

    def action_attach(self) -> None:
        """Go to the agent's session."""
        self.team.attach(self.agent)


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
