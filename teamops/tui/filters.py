"""What the panes are filtered by, and what of a snapshot is left then."""

from __future__ import annotations

from collections.abc import Sequence

from teamops.model.agent import AgentView
from teamops.model.alert import Alert
from teamops.model.snapshot import LogLine, Snapshot


class Filters:
    """A searched text per pane, case-folded; the handoff's own search is in ``search``."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def __getitem__(self, pane: str) -> str:
        """Return what ``pane`` is filtered by; empty = it is not."""
        return self._texts.get(pane, "")

    def put(self, pane: str, text: str) -> bool:
        """Filter ``pane`` by ``text``; return whether that is another filter than before."""
        wanted = text.strip().casefold()
        if wanted == self[pane]:
            return False
        self._texts[pane] = wanted
        return True

    def agents(self, snapshot: Snapshot) -> Sequence[AgentView]:
        """Return the agents that are wanted."""
        if not self["agents"]:
            return snapshot.agents
        return tuple(
            agent
            for agent in snapshot.agents
            if self._wanted("agents", agent.role, agent.name, agent.state, agent.client, agent.message)
        )

    def alerts(self, snapshot: Snapshot) -> Sequence[Alert]:
        """Return the alerts that are wanted, without what is only the consequence of another one."""
        shown = tuple(alert for alert in snapshot.alerts if not alert.hidden_by)
        if not self["alerts"]:
            return shown
        return tuple(
            alert
            for alert in shown
            if self._wanted("alerts", alert.code, alert.message, alert.do, alert.agent or "", alert.severity)
        )

    def events(self, snapshot: Snapshot) -> Sequence[LogLine]:
        """Return the events that are wanted."""
        if not self["events"]:
            return snapshot.log
        return tuple(line for line in snapshot.log if self._wanted("events", line.kind, line.text, line.role or ""))

    def _wanted(self, pane: str, *texts: str) -> bool:
        return any(self[pane] in text.casefold() for text in texts)
