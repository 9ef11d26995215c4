"""The boundaries: what got past them, and what the agents' hooks refused."""

from __future__ import annotations

from collections import Counter
from typing import Final

from textual.app import ComposeResult

from teamops.model.boundary import Decision, Violation, ViolationState
from teamops.model.errors import TeamopsError
from teamops.model.snapshot import Snapshot
from teamops.tui import boundary_words, keys, words
from teamops.tui.agent_lines import about
from teamops.tui.agent_words import moment
from teamops.tui.rules import SETTLES, why_not_settle
from teamops.tui.screens.listing import ListScreen
from teamops.tui.screens.reading import ReadingWindow
from teamops.tui.screens.violation import ViolationScreen, ask_to_settle
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.boundary_rows import BoundaryList, CrossedRow, RefusedRow
from teamops.tui.widgets.page import Page

POLL_S: Final = 2.0
"""How often the refusals are asked for, and only while this screen is on top."""


class BoundariesScreen(ListScreen):
    """The list, violations first, and below it the chosen one."""

    DEFAULT_CSS = """
    BoundariesScreen #chosen { border-top: solid $pane-rule; min-height: 4; max-height: 50%; }
    """
    BINDINGS = keys.bindings(keys.Where.BOUNDARIES)
    SEARCHED = "boundaries"

    def __init__(self, palette: Palette, first: Snapshot) -> None:
        super().__init__(BoundaryList(palette), palette, first)
        self.chosen = Page(palette)
        self.chosen.id = "chosen"
        self.refused: tuple[Decision, ...] = ()
        self._asking = False
        self._answered = False
        self._trouble = ""
        """Why the refusals can't be told now."""

    def body(self) -> ComposeResult:
        """Make the list and the chosen row below it."""
        yield self.list
        yield self.chosen

    def on_mount(self) -> None:
        """Begin to look."""
        super().on_mount()
        self.look_every(POLL_S, self._look)
        self._look()

    def on_unmount(self) -> None:
        """Want no answer any more."""
        self.team.drop("decisions")

    @property
    def violation(self) -> Violation | None:
        """The chosen violation, as of the newest snapshot."""
        row = self.list.row
        return row.violation if isinstance(row, CrossedRow) else None

    # What is asked.

    def _look(self) -> None:
        if not self._asking:
            self._asking = True
            self.team.ask("decisions", self.team.port.decisions, self._take, refused=self._refuse)

    def _take(self, refused: tuple[Decision, ...]) -> None:
        self._asking, self._answered, self._trouble = False, True, ""
        self.refused = refused
        self.draw()

    def _refuse(self, error: TeamopsError) -> None:
        # Here, not as a note: it would come every two seconds.
        self._asking, self._answered, self._trouble = False, True, str(error)
        self.draw()

    # Drawing.

    def draw(self) -> None:
        """Draw what is known now."""
        snapshot, now = self.snapshot, self.snapshot.stamp.wall
        head = [self._counts()]
        if self._trouble:
            head.append(Line(hang=2).add("✖ what was refused can't be told: ", self.palette.bad).add(self._trouble))
        self.head.show(head)
        if self.filter:
            self.list.empty = ("Nothing has that text.", "Esc ends the filter.")
        elif not self._answered:
            self.list.empty = ("Looking at what was refused…",)
        else:
            role = snapshot.agents[0].role if snapshot.agents else "ROLE"
            self.list.empty = (
                "✓ Nothing was refused, and nothing got past a boundary.",
                f"What a role may do: teamops guard explain --role {role} PATH",
            )
        rows: list[object] = [
            CrossedRow(one, words.age(now - one.wall)) for one in snapshot.violations if self._wants_violation(one)
        ]
        rows += [RefusedRow(one, words.age(now - one.wall)) for one in self.refused if self._wants_decision(one)]
        self.list.show(rows)
        self.name_list("Boundaries")
        self._draw_chosen()

    def _wants_violation(self, one: Violation) -> bool:
        return self.wanted(one.path, one.state, one.rule, one.why, *one.roles, *one.evidence)

    def _wants_decision(self, one: Decision) -> bool:
        return self.wanted(one.about, boundary_words.VERDICTS[one.verdict][1], one.rule, one.why, one.role)

    def _counts(self) -> Line:
        snapshot, colours = self.snapshot, self.palette
        line = Line().add(snapshot.project, colours.strong).add("  ")
        number = Counter(one.state for one in snapshot.violations)
        for state in ViolationState:
            if number[state]:
                symbol, style = boundary_words.STATES[state]
                line.add(f" {symbol} {number[state]} {state} ", colours.named(style))
        if not number[ViolationState.OPEN]:
            line.add(" ✓ nothing stands open ", colours.ok)
        known = [agent.boundary for agent in snapshot.agents if agent.boundary is not None]
        refused = sum(boundary.blocked for boundary in known)
        line.add(f" {boundary_words.REFUSED} {refused} refused today", colours.warn if refused else colours.dim)
        loose = sum(boundary_words.is_loose(agent) for agent in snapshot.agents)
        if loose:
            line.add(f"  ▲ {words.number_of(loose, 'agent')} unheld", colours.bad)
        return line

    def _draw_chosen(self) -> None:
        violation, row = self.violation, self.list.row
        off = frozenset(act for act in SETTLES if why_not_settle(act, violation))
        acts = ("let_stand", "quarantine", "restore") if self.snapshot.violations else ()
        self.show_keys(("back", "detail", *acts, "search", "help"), off)
        if violation is not None:
            self.chosen.show(_violation_lines(violation, self.palette))
        elif isinstance(row, RefusedRow):
            self.chosen.show(_decision_lines(row.decision, self.palette))
        else:
            self.chosen.show([])

    def on_row_view_moved(self) -> None:
        """Show the row the cursor came to."""
        self._draw_chosen()

    def on_row_view_chosen(self) -> None:
        """Open it: evidence and change of a violation, all that was said of a refusal."""
        row = self.list.row
        if isinstance(row, CrossedRow):
            self.team.push_screen(ViolationScreen(row.violation, self.palette))
        elif isinstance(row, RefusedRow):
            self.team.push_screen(decision_window(row.decision, self.snapshot.stamp.wall, self.palette))

    # What can be done with a violation.

    def action_let_stand(self) -> None:
        """Ask whether to let the change stand."""
        ask_to_settle(self.team, "let_stand", self.violation, self.palette)

    def action_quarantine(self) -> None:
        """Ask whether to undo the change and keep it as a patch."""
        ask_to_settle(self.team, "quarantine", self.violation, self.palette)

    def action_restore(self) -> None:
        """Ask whether to put the change back."""
        ask_to_settle(self.team, "restore", self.violation, self.palette)


def _violation_lines(violation: Violation, palette: Palette) -> list[Line]:
    symbol, style = boundary_words.STATES[violation.state]
    head = Line(hang=2).add(f"{symbol} {violation.state} ", palette.named(style)).add(violation.path, palette.strong)
    head.add(f"  {violation.change} {boundary_words.size(violation)}", palette.dim)
    why = Line(hang=2).add(violation.why, palette.text).add(f" ({violation.rule})", palette.dim)
    lines = [head, why.add(f"; {violation.it_was}", palette.text)]
    if violation.note:
        lines.append(Line(hang=2).add(violation.note, palette.dim))
    elif violation.evidence:
        lines.append(Line(hang=2).add("· ", palette.faint).add(violation.evidence[0], palette.dim))
    return [*lines, Line().add("Enter", palette.key).add(" shows the evidence and the change", palette.dim)]


def _decision_lines(decision: Decision, palette: Palette) -> list[Line]:
    symbol, word, style = boundary_words.VERDICTS[decision.verdict]
    head = Line(hang=2).add(f"{symbol} {word} ", palette.named(style)).add(decision.role, palette.strong)
    head.add(f"  {decision.rule}", palette.dim)
    return [
        head,
        Line(hang=2).add(decision.about or words.NOTHING, palette.text),
        Line(hang=2).add(decision.why, palette.dim),
    ]


def decision_window(decision: Decision, now: float, palette: Palette) -> ReadingWindow:
    """Return a window with all that a hook said of a call."""
    symbol, word, style = boundary_words.VERDICTS[decision.verdict]
    often = "" if decision.times == 1 else f", {decision.times} times within ten minutes"
    explain = f"teamops guard explain --role {decision.role}"
    return ReadingWindow(
        word.capitalize(),
        [
            Line().add(f"{symbol} {word}", palette.named(style)).add(f"  {decision.role}", palette.strong),
            Line(),
            about("when", moment(decision.wall, now) + often, "text", palette),
            about("what", decision.about or words.NOTHING, "text", palette),
            about("rule", decision.rule or words.NOTHING, "text", palette),
            about("it was told", decision.why or words.NOTHING, "text", palette),
            Line(),
            Line(hang=2).add("The agent's own hook says so, in a file that the agent can write.", palette.dim),
            Line(hang=2).add(explain, palette.code).add(" says what the role may do.", palette.dim),
        ],
        palette,
    )
