"""What every screen of teamops can do: take a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import ModalScreen, Screen

from teamops.model.agent import AgentView
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot

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
