"""One task in full: its stages, its blocks in time, the chain of reviews and gates, what it changed."""

from __future__ import annotations

from functools import partial
from typing import Final

from textual.app import ComposeResult

from teamops.model.errors import TeamopsError
from teamops.model.handoff import Task
from teamops.model.protocol import TaskReport, TimelineEntry
from teamops.model.role import HUMAN
from teamops.model.snapshot import Snapshot
from teamops.tui import chain, keys, words
from teamops.tui.costs import cost
from teamops.tui.rules import why_no_sign_off
from teamops.tui.screens.listing import ListScreen
from teamops.tui.search import BlockSearch
from teamops.tui.stepper import stepper_lines
from teamops.tui.strips import Line, spread
from teamops.tui.tasks import blocks_of, find_light, find_task, fingerprint, in_order, key_of, shown
from teamops.tui.theme import Palette
from teamops.tui.widgets.sheet import Sheet
from teamops.tui.widgets.timeline import Timeline

REFRESH_S: Final = 15.0
"""Gates that are run and files that change make no snapshot: so often the report is asked for anyway."""
SECTIONS: Final = ("timeline", "chain", "changes")


class TaskScreen(ListScreen):
    """Three sections under the task's stepper."""

    DEFAULT_CSS = "TaskScreen Sheet { border-top: none; }"
    BINDINGS = keys.bindings(
        keys.Where.TASK, only=("pane(1)", "pane(2)", "pane(3)", "next_pane", "previous_pane")
    )  # fmt: skip
    SEARCHED = "blocks of this task"

    def __init__(self, name: str | None, palette: Palette, first: Snapshot) -> None:
        super().__init__(Timeline(palette), palette, first)
        self.task_name = name
        self.sheet = Sheet(palette, id="sheet")
        self.section = "timeline"
        self.told: chain.Told | None = None
        self._hits: frozenset[int] = frozenset()
        """Blocks whose text has what is searched for."""
        self._asked_for: object = None
        self._drawn: tuple[object, ...] | None = None
        self._asking = False

    def body(self) -> ComposeResult:
        """Make timeline and sheet; one of them shows."""
        self.sheet.display = False
        yield self.list
        yield self.sheet

    def on_mount(self) -> None:
        """Begin to look."""
        super().on_mount()
        self.look_every(REFRESH_S, self._look)

    def on_unmount(self) -> None:
        """Want no answer any more."""
        self.team.drop("task-report")
        self.team.drop("task-search")

    @property
    def report(self) -> TaskReport | None:
        """The report, once it has come."""
        return self.told.report if self.told is not None else None

    @property
    def chosen_task(self) -> Task | None:
        """The task that is shown, as of the newest snapshot."""
        return find_task(self.snapshot, self.task_name)

    def choose(self, name: str | None) -> None:
        """Show another task."""
        if key_of(name) != key_of(self.task_name):
            self.task_name, self.told, self._asked_for = name, None, None
            self.list.show([])
            self.sheet.action_first()
            self.filter = ""
        self.show(self.team.snapshot)

    # The report.

    def show(self, snapshot: Snapshot) -> None:
        """Show ``snapshot``; the report is asked for again where the task has changed."""
        old, self.snapshot = self.snapshot, snapshot
        same = old.blocks is snapshot.blocks and old.findings is snapshot.findings and old.tasks is snapshot.tasks
        if not same or self._asked_for is None:
            now = key_of(self.task_name), fingerprint(snapshot, self.chosen_task)
            if now != self._asked_for:
                self._asked_for = now
                self._asking = False
                self._look()
                self._search()
        self.draw()

    def _look(self) -> None:
        if self._asking or self.chosen_task is None:
            return
        self._asking = True
        query = partial(chain.tell, self.team.port, self.task_name)
        self.team.ask("task-report", query, self._take, refused=self._refuse)

    def _take(self, told: chain.Told) -> None:
        self._asking = False
        self.told = told
        self.draw()

    def _refuse(self, error: TeamopsError) -> None:
        # Here, not as a note: it would come again and again.
        self._asking = False
        self.list.empty = (f"✖ {error.message}", error.hint)
        if self.report is None:
            self.sheet.show([Line().add(f"✖ {error}", self.palette.bad)])
        self.list.redraw()

    # Drawing.

    def draw(self) -> None:
        """Draw what is known now."""
        task = self.chosen_task
        self.head.show(self._head(task))
        self._draw_sections()
        yours = () if why_no_sign_off(task, self.snapshot) else ("sign_off",)
        self.show_keys(("back", *yours, "detail", "search", "earlier_task", "later_task", "tasks", "findings", "help"))

    def _head(self, task: Task | None) -> list[Line]:
        colours, width = self.palette, max(20, self.size.width - 2)
        if task is None:
            gone = Line().add(f"{shown(self.task_name)} is no longer in the handoff file.", colours.warn)
            return [gone, Line().add("T lists the tasks that are.", colours.dim)]
        left = Line().add(shown(task.task), colours.strong)
        light = find_light(self.snapshot, task.task)
        if task.turn == HUMAN and task.open:
            left.add("  ◆ waits for you", colours.human)
        elif light is not None:
            symbol, word, style = words.light_words(light)
            left.add(f"  ▶ {light.role} {light.name}", colours.text)
            left.add(f" {symbol} {word} {words.age(light.age_s)}", colours.named(style))
        if task.rounds:
            left.add(f"  sent back {words.number_of(task.rounds, 'time')}", colours.warn)
        tasks = in_order(self.snapshot)
        place = next((at for at, one in enumerate(tasks, 1) if key_of(one.task) == key_of(task.task)), 0)
        right = Line().add(f"task {place} of {len(tasks)}", colours.dim)
        stages = light.stages if light and light.stages else self.report.stages if self.report else ()
        steps = stepper_lines(task.tier, task.stage, stages, task.rounds, task.standing, colours, width)
        return [spread(left, right, width), *steps]

    def _draw_sections(self) -> None:
        told, report = self.told, self.report
        files = f" · {words.number_of(len(report.diff.files), 'file')}" if report and report.diff else ""
        titles = ("1 Timeline", "2 Chain", f"3 Changes{files}")
        marks = (f"▸{title}" if name == self.section else title for name, title in zip(SECTIONS, titles, strict=True))
        spend = report.spend if report is not None else None
        whole = f"   {cost(spend.total)} in all" if spend is not None and spend.total.responses else ""
        self.name_list("   ".join(marks) + whole)
        if told is None or report is None:
            self.list.empty = self.list.empty or ("Looking at the task…",)
            return
        self.list.empty = ("No block of it has that text.", "Esc ends the search.") if self.filter else ("No block.",)
        # A long task is gone through again only where something of it has changed, not every second.
        how = (self.filter, self._hits, self.section, self.size.width)
        blocks = self.snapshot.blocks
        if self._drawn is not None and self._drawn[0] is told and self._drawn[1] is blocks and self._drawn[2] == how:
            return
        self._drawn = (told, blocks, how)
        self.list.show([entry for entry in reversed(report.entries) if self._wanted(entry)])
        if self.section == "chain":
            self.sheet.show(self._chain_lines(told))
        elif self.section == "changes":
            self.sheet.show(chain.diff_lines(report, self.palette)[1:])

    def _chain_lines(self, told: chain.Told) -> list[Line]:
        now, colours = self.snapshot.stamp.wall, self.palette
        lines = chain.chain_lines(told, self.snapshot.blocks, now, self.size.width - 3, colours)
        lines += chain.cost_lines(told.report, colours)
        return (lines + chain.approval_lines(told.report, now, colours))[1:]

    def _wanted(self, entry: TimelineEntry) -> bool:
        return entry.index in self._hits or self.wanted(
            chain.when(entry.wall), entry.role, entry.turn, entry.stage, entry.status, entry.verdict, *entry.findings
        )

    # Search: the rows at once, the blocks' texts as soon as they have been read.

    def set_filter(self, text: str) -> None:
        """Show only blocks that have ``text``, in their line here or in their own words."""
        before = self.filter
        if before != text.strip().casefold():
            self._hits = frozenset()
        super().set_filter(text)
        if before != self.filter:
            self._search()

    def _search(self) -> None:
        task = self.chosen_task
        if not self.filter or task is None:
            self.team.drop("task-search")
            self._hits = frozenset()
            return
        search = BlockSearch(self.filter, self.team.port.block_text)
        ticket = self.team.drop("task-search") + 1
        find = partial(
            search.find, blocks_of(self.snapshot, task), lambda: self.team.wanted("task-search", ticket)
        )  # fmt: skip
        self.team.ask("task-search", find, self._take_hits)

    def _take_hits(self, hits: frozenset[int]) -> None:
        self._hits = hits
        self.draw()

    def action_search(self) -> None:
        """Search the timeline, from whichever section."""
        self.action_pane(1)
        super().action_search()

    # Sections and tasks.

    def action_pane(self, number: int) -> None:
        """Show a section."""
        if number > len(SECTIONS):
            self.team.refuse(f"A task has {len(SECTIONS)} sections.")
            return
        self.section = SECTIONS[number - 1]
        timeline = self.section == "timeline"
        if self.list.display != timeline:
            self.list.display, self.sheet.display = timeline, not timeline
        (self.list if timeline else self.sheet).focus()
        self.sheet.action_first()
        self.draw()

    def action_next_pane(self) -> None:
        """Show the next section."""
        self.action_pane((SECTIONS.index(self.section) + 1) % len(SECTIONS) + 1)

    def action_previous_pane(self) -> None:
        """Show the section before."""
        self.action_pane((SECTIONS.index(self.section) - 1) % len(SECTIONS) + 1)

    def action_earlier_task(self) -> None:
        """Show the task before, as all tasks are listed."""
        self._step(-1)

    def action_later_task(self) -> None:
        """Show the next task."""
        self._step(1)

    def _step(self, by: int) -> None:
        tasks = in_order(self.snapshot)
        if len(tasks) < 2:
            self.team.refuse("There is no other task.")
            return
        here = next((at for at, one in enumerate(tasks) if key_of(one.task) == key_of(self.task_name)), 0)
        self.choose(tasks[(here + by) % len(tasks)].task)

    def on_row_view_chosen(self) -> None:
        """Show the chosen block in the handoff pane."""
        row = self.list.row
        if isinstance(row, TimelineEntry):
            self.team.doors.block(row.index)
