"""Stop: asked first, and Enter is no answer."""

from __future__ import annotations

from teamops.model.snapshot import StopRole
from teamops.tui import words
from teamops.tui.screens.restart import RestartWindow
from teamops.tui.strips import Line


class StopWindow(RestartWindow):
    """Says what a stop does to this agent; only y does it."""

    BINDINGS = [  # noqa: RUF012 - Textual declares it so
        ("y", "confirm", "stop"),
        ("n,escape,q", "back", "cancel"),
    ]

    TITLE_SHOWN = "Stop"

    def _draw(self) -> None:
        colours, agent = self.palette, self.agent
        symbol, style = words.STATES[agent.state]
        who = Line().add(f"{agent.role} {agent.name}", colours.strong)
        who.add(f"  {symbol} {words.state_words(agent)}", colours.named(style)).add(
            f"  {words.evidence(agent)}", colours.dim
        )
        what = f"It may end by itself (pid {agent.pid}), and is killed after its grace, whoever started it."
        held = "Then it is held: nobody starts or pokes it until you do (u)."
        asked = Line().add("y", colours.key).add(" stop   ", colours.dim)
        asked.add("n", colours.key).add(" or ", colours.dim).add("Esc", colours.key).add(
            " leave it as it is", colours.dim
        )
        lines = [who, Line(), Line().add(what, colours.warn), Line().add(held, colours.text), Line(), asked]
        self.page.show(lines)

    def action_confirm(self) -> None:
        """Stop it."""
        self.dismiss(None)
        self.team.intend(StopRole(self.agent.role), f"Stopping {self.agent.role}")
