"""The command palette's entries: every act of the registry, every task and every agent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from teamops.model.role import Role
from teamops.tui import keys
from teamops.tui.tasks import in_order, shown

_LEFT_OUT = (
    "palette", "down", "up", "left", "right", "page_down", "page_up", "first", "last", "back", "approve", "send_back",
)  # fmt: skip
"""Keys to move about, which nobody looks for by name in a palette, and those of a window that has none."""


class ActProvider(Provider):
    """Finds acts by label and help, and agents by role and name."""

    async def discover(self) -> Hits:
        """Offer everything."""
        for title, help_text, run in self._entries():
            yield DiscoveryHit(Content(title), run, title, help_text)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for title, help_text, run in self._entries():
            score = max(matcher.match(title), matcher.match(help_text) * 0.5)
            if score > 0:
                yield Hit(score, Content(title), run, title, help_text)

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], Any]]]:
        app: Any = self.app
        agent = self.screen.agent if hasattr(self.screen, "agent") else None
        for entry in keys.REGISTRY:
            if entry.id in _LEFT_OUT:
                continue
            title = f"{entry.label.capitalize()} ({keys.shown(entry.keys[0])})"
            if entry.where is keys.Where.TEAM and agent is not None:
                title = f"{entry.label.capitalize()} {agent.role} ({keys.shown(entry.keys[0])})"
            yield title, entry.help, partial(app.run_act, entry.id)
        for task in in_order(app.snapshot):
            yield (
                f"Task {shown(task.task)}",
                "Its stages, its blocks, its reviews, what it changed." if task.open else "Closed.",
                partial(app.doors.task, task),
            )
        for view in app.snapshot.agents:
            yield (
                f"Open {view.role} {view.name}",
                "Its state and why, its hour, its live pane, its pokes, restarts and processes.",
                partial(app.open_detail, Role(view.role)),
            )
