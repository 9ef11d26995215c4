"""All tasks, to choose one."""

from __future__ import annotations

from dataclasses import dataclass

from textual.strip import Strip

from teamops.model.handoff import Task
from teamops.model.role import HUMAN, NONE
from teamops.model.snapshot import LightView, Snapshot
from teamops.tui import words
from teamops.tui.faults import Faults
from teamops.tui.rules import why_no_sign_off
from teamops.tui.screens.listing import ListScreen
from teamops.tui.stepper import standing_words, stepper
from teamops.tui.strips import Line
from teamops.tui.tasks import find_light, in_order, key_of, shown
from teamops.tui.theme import Palette
from teamops.tui.widgets.rows import RowView

NAME = 22
"""Cells for a task's name."""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task, its light, and how much is to be mended in it."""

    task: Task
    light: LightView | None
    wrong: int


class TaskList(RowView):
    """One line a task: who holds it, how far it is, what is wrong."""

    def __init__(self, palette: Palette) -> None:
        super().__init__(palette, id="all-tasks")
        self.empty = ("No task yet.", "The first block of the handoff file begins one.")

    def identity(self, row: object) -> object:
        """A task is its name."""
        return key_of(row.task.task) if isinstance(row, TaskRow) else row

    def draw(self, row: object, width: int, *, chosen: bool) -> list[Strip]:
        """Return the task's line."""
        if not isinstance(row, TaskRow):
            raise TypeError(row)
        task, light, colours = row.task, row.light, self.palette
        line = Line().add(f"{words.CURSOR} " if chosen else "  ", colours.accent)
        line.add(shown(task.task), colours.strong if task.open else colours.dim, NAME).add(" ")
        if task.turn == HUMAN:
            line.add("◆ you", colours.human, 11)
        elif not task.open or task.turn in (None, NONE):
            line.add("○ closed" if not task.open else "○ nobody", colours.dim, 11)
        else:
            symbol, style = words.light_words(light)[::2] if light else ("▶", "accent")
            line.add(f"{symbol} {task.turn}", colours.named(style), 11)
        line.add(" ")
        right = Line()
        if row.wrong:
            right.add(f"✖ {row.wrong} ", colours.bad)
        right.add(f"{words.number_of(len(task.blocks), 'block')}", colours.faint, 10, "right")
        room = max(1, width - line.width - right.width - 1)
        if task.open:
            stages = light.stages if light else ()
            line.put(stepper(task.tier, task.stage, stages, task.rounds, task.standing, colours, room))
        else:
            line.put(standing_words(task.standing, colours)).add(f"  tier {task.tier or '?'}", colours.dim)
        cut = Line()
        cut.segments, cut.width = list(line.strip(width - right.width)), width - right.width
        return [cut.put(right).strip(width, colours.cursor if chosen else None)]


class TasksScreen(ListScreen):
    """The list of all tasks, open ones first."""

    SEARCHED = "tasks"

    def __init__(self, palette: Palette, first: Snapshot) -> None:
        super().__init__(TaskList(palette), palette, first)
        self.faults = Faults()

    @property
    def chosen_task(self) -> Task | None:
        """The task under the cursor."""
        row = self.list.row
        return row.task if isinstance(row, TaskRow) else None

    def draw(self) -> None:
        """Draw the tasks of the newest snapshot."""
        snapshot, colours = self.snapshot, self.palette
        wrong: dict[str, int] = {}
        for fault in self.faults.to_mend(snapshot):
            wrong[key_of(fault.task)] = wrong.get(key_of(fault.task), 0) + 1
        tasks = in_order(snapshot)
        rows = [
            TaskRow(task, find_light(snapshot, task.task), wrong.get(key_of(task.task), 0))
            for task in tasks
            if self.wanted(shown(task.task), task.turn, task.stage, task.standing)
        ]
        self.list.show(rows)
        number = sum(task.open for task in tasks)
        head = Line().add("Tasks of ", colours.dim).add(snapshot.project, colours.strong)
        head.add(f"   {number} open, {len(tasks) - number} closed", colours.dim)
        self.head.show([head])
        self.name_list("All tasks")
        self._show_keys()

    def _show_keys(self) -> None:
        yours = () if why_no_sign_off(self.chosen_task, self.snapshot) else ("sign_off",)
        self.show_keys(("back", *yours, "detail", "search", "findings", "help"))

    def on_row_view_moved(self) -> None:
        """Show what can be done with the task the cursor came to."""
        self._show_keys()

    def on_row_view_chosen(self) -> None:
        """Open the chosen task."""
        self.team.doors.task(self.chosen_task)
