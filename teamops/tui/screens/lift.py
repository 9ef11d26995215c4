"""Lift: why an agent is held, and the limit with which it may spend again today."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from teamops.model.agent import AgentView
from teamops.model.budget import TEAM, BudgetLine, Cause
from teamops.model.snapshot import LiftBudget, Snapshot
from teamops.tui.screens.base import TeamWindow, find_agent
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.page import Page

MOST = Decimal(1_000_000)


class LiftWindow(TeamWindow):
    """Shows what holds the agent; an amount and Enter lift it, Enter alone doesn't where a budget holds."""

    BINDINGS = [("escape", "back", "cancel")]  # noqa: RUF012 - Textual declares it so
    DEFAULT_CSS = """
    LiftWindow Input, LiftWindow Input:focus { padding: 0 1; margin: 1 0; background: $panel; }
    """

    def __init__(self, agent: AgentView, palette: Palette, snapshot: Snapshot) -> None:
        super().__init__()
        self.agent = agent
        self.palette = palette
        self.budget = _held_by(agent, snapshot)
        self.head = Page(palette)
        self.foot = Page(palette)
        self.line = Input(compact=True, placeholder="dollars for today, such as 20", max_length=12)

    def compose(self) -> ComposeResult:
        """Make reason, amount and keys."""
        with Vertical(classes="window") as frame:
            frame.border_title = "Lift"
            yield self.head
            yield self.line
            yield self.foot

    def on_mount(self) -> None:
        """Ask."""
        self._draw()
        self.line.focus()

    def show(self, snapshot: Snapshot) -> None:
        """Keep what is shown true while the person thinks."""
        agent = find_agent(snapshot, self.agent.role)
        budget = _held_by(agent, snapshot) if agent is not None else None
        if agent is not None and (agent, budget) != (self.agent, self.budget):
            self.agent, self.budget = agent, budget
            self._draw()

    @property
    def _scope(self) -> str:
        return self.budget.scope if self.budget is not None else self.agent.role

    @property
    def _needs_amount(self) -> bool:
        hold = self.budget.hold if self.budget is not None else None
        return hold is not None and hold.cause is Cause.BUDGET

    def _draw(self) -> None:
        colours, scope = self.palette, self._scope
        who = "The whole team" if scope == TEAM else f"{self.agent.role} {self.agent.name}"
        lines = [Line().add(who, colours.strong).add(f"  held: {self.agent.held or 'no more'}", colours.warn), Line()]
        if self._needs_amount:
            what = "Today's new limit, in dollars, more than is spent; tomorrow the configured one counts:"
        else:
            what = "It may spend again. A new limit for today, or nothing to leave the limit as it is:"
        self.head.show([*lines, Line().add(what, colours.text)])
        foot = Line().add("Enter", colours.key).add(" lift   ", colours.dim)
        foot.add("Esc", colours.key).add(" leave it held", colours.dim)
        self.foot.show([foot, Line().add("It stays as it is until you start (u) or poke it (p).", colours.dim)])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Lift, if that is a limit."""
        event.stop()
        text = event.value.strip().lstrip("$")
        if not text and not self._needs_amount:
            self._lift(None)
            return
        try:
            amount = Decimal(text)
        except InvalidOperation:
            amount = Decimal(0)
        if not (amount.is_finite() and 0 < amount <= MOST):
            self.team.refuse("An amount of dollars, more than 0: such as 20 or 7.50.")
            return
        self._lift(amount)

    def _lift(self, amount: Decimal | None) -> None:
        self.dismiss(None)
        self.team.intend(LiftBudget(self._scope, amount), f"Lifting the hold of {self._scope}")


def _held_by(agent: AgentView, snapshot: Snapshot) -> BudgetLine | None:
    """Return the budget whose hold an agent is under: its own, else the team's; ``None`` = neither is a budget's."""
    held = {line.scope: line for line in snapshot.budgets if line.hold is not None}
    return held.get(agent.role) or held.get(TEAM)
