"""Sign-off: the task's whole chain, then two deliberate steps to sign it off or to send it back."""

from __future__ import annotations

from functools import partial
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from teamops.model.errors import TeamopsError
from teamops.model.handoff import Task
from teamops.model.protocol import TaskReport
from teamops.model.snapshot import SignOff, Snapshot
from teamops.model.text import clean_line
from teamops.tui import chain, keys
from teamops.tui.rules import why_no_sign_off
from teamops.tui.screens.base import TeamWindow
from teamops.tui.stepper import stepper_lines
from teamops.tui.strips import Line
from teamops.tui.tasks import find_task, fingerprint, shown
from teamops.tui.theme import Palette
from teamops.tui.widgets.page import Page
from teamops.tui.widgets.sheet import Sheet

MOST_SIGNS: Final = 2000
"""Of a note."""
LONGEST_NAME: Final = 40
"""A longer name nobody wants to type."""
STAND_IN: Final = "sign off"
"""What is typed instead of a name where the task has none, or one too long."""


class SignOffWindow(TeamWindow):
    """Nothing is the default: y and b begin, and each asks for words of its own before anything is written."""

    BINDINGS = [  # noqa: RUF012 - Textual declares it so
        *keys.bindings(keys.Where.SIGN_OFF, only=("help",)),
        ("escape", "back", "leave"),
    ]
    DEFAULT_CSS = """
    SignOffWindow { background: $background; }
    SignOffWindow > .window { width: 120; max-width: 98%; height: 96%; max-height: 96%; padding: 0; }
    SignOffWindow Page { padding: 0 1; }
    SignOffWindow #foot { border-top: solid $pane-rule; }
    SignOffWindow Input, SignOffWindow Input:focus { padding: 0 1; background: $panel; display: none; }
    """
    AUTO_FOCUS = "#chain"

    def __init__(self, name: str | None, palette: Palette, first: Snapshot) -> None:
        super().__init__()
        self.task_name = name
        self.palette = palette
        self.snapshot = first
        self.head = Page(palette)
        self.sheet = Sheet(palette, id="chain")
        self.foot = Page(palette)
        self.foot.id = "foot"
        self.word = Input(compact=True, max_length=200, id="word")
        self.note = Input(compact=True, max_length=MOST_SIGNS, id="note")
        self.step = "read"
        """read, approve or back."""
        self.told: chain.Told | None = None
        self.trouble = ""
        self.said = ""
        """Why the last key or line did nothing: here, where a note would lie over the question."""
        self.moved = False
        """The task has moved on since the person began to read."""
        self._asked_for: object = None
        self._current = False
        """The report is of the task as the newest snapshot has it."""

    def compose(self) -> ComposeResult:
        """Make head, chain and what is asked."""
        with Vertical(classes="window") as frame:
            frame.border_title = "Sign-off"
            yield self.head
            yield self.sheet
            yield self.foot
            yield self.word
            yield self.note

    def on_mount(self) -> None:
        """Fetch the chain."""
        self.sheet.show([Line().add("Looking at the task…", self.palette.dim)])
        self.show(self.snapshot)

    def on_unmount(self) -> None:
        """Want no answer any more."""
        self.team.drop("sign-off")

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._draw_chain()
        self._draw()

    # What is shown is what is signed.

    def show(self, snapshot: Snapshot) -> None:
        """Fetch the chain again where the task has changed."""
        self.snapshot = snapshot
        now = fingerprint(snapshot, self._as_of_now)
        if now != self._asked_for:
            self._asked_for, self._current = now, False
            query = partial(chain.tell, self.team.port, self.task_name)
            self.team.ask("sign-off", query, self._take, refused=self._refuse)
        self._draw()

    @property
    def report(self) -> TaskReport | None:
        """What is shown, once it has come."""
        return self.told.report if self.told is not None else None

    @property
    def _as_of_now(self) -> Task | None:
        return find_task(self.snapshot, self.task_name)

    def _take(self, told: chain.Told) -> None:
        old, report = self.report, told.report
        self.told = told
        self.trouble, self._current = "", True
        if old is not None and old.chain != report.chain:
            self.moved = True
            self.sheet.action_first()
            self._go("read")
        self._draw_chain()
        self._draw()

    def _draw_chain(self) -> None:
        if self.told is None:
            return
        now, colours = self.snapshot.stamp.wall, self.palette
        lines = chain.chain_lines(self.told, self.snapshot.blocks, now, self.sheet.text_width, colours)
        lines += chain.diff_lines(self.told.report, colours) + chain.approval_lines(self.told.report, now, colours)
        self.sheet.show(lines[1:])

    def _refuse(self, error: TeamopsError) -> None:
        self.trouble = str(error)
        if self.report is None:
            self.sheet.show([Line().add(f"✖ {error}", self.palette.bad)])
        self._draw()

    def why_not(self, *, approve: bool) -> str:
        """Return why the task can't be signed off (or sent back) now; empty where it can."""
        if reason := why_no_sign_off(self._as_of_now, self.snapshot):
            return reason
        if self.trouble:
            return f"The task can't be read now: {self.trouble}"
        if self.report is None or not self._current:
            return "The task is being read: wait for it."
        if approve and self.report.refusal:
            return f"It can't be signed off now: {self.report.refusal}."
        return ""

    # Drawing.

    def _draw(self) -> None:
        colours, report, task = self.palette, self.report, self._as_of_now
        head = [Line().add(shown(self.task_name), colours.strong)]
        if task is not None:
            stages = report.stages if report else ()
            width = max(20, self.sheet.size.width - 2)
            head += stepper_lines(task.tier, task.stage, stages, task.rounds, task.standing, colours, width)
        if report is not None:
            head.append(chain.summary(report, self.snapshot.blocks, colours))
        self.head.show(head)
        self.foot.show(self._question())

    def _question(self) -> list[Line]:
        colours = self.palette
        lines = []
        if self.moved:
            lines.append(Line().add("▲ The task has moved on while you read: this is how it stands now.", colours.warn))
        if self.said:
            lines.append(Line(hang=2).add(f"▲ {self.said}", colours.warn))
        if self.step == "read":
            return lines + self._offer()
        path, name = self.snapshot.handoff_path.rpartition("/")[2], clean_line(shown(self.task_name), 60)
        if self.step == "approve":
            what = f"A HUMAN block that signs {name} off is appended to {path}. The ledger keeps your name, the time"
            lines.append(Line().add(f"{what} and what you have read.", colours.text))
            ask = Line().add("Type ", colours.text).add(self.password, colours.strong)
            lines.append(ask.add(", and Tab a note if you like; then Enter.  ", colours.text))
        else:
            lines.append(Line().add(f"A HUMAN block that sends {name} back is appended to {path}.", colours.text))
            ask = Line().add("Say why: what is to be done before you sign. Then Enter.  ", colours.text)
            lines.append(ask)
        lines[-1].add("Esc", colours.key).add(" goes back to reading", colours.dim)
        return lines

    def _offer(self) -> list[Line]:
        colours = self.palette
        lines = []
        no_approval, no_return = self.why_not(approve=True), self.why_not(approve=False)
        if no_approval and no_approval != self.said:
            lines.append(Line(hang=2).add(f"▲ {no_approval}", colours.warn))
        keys_ = Line()
        for act_id, reason in (("approve", no_approval), ("send_back", no_return)):
            entry = keys.act(act_id)
            keys_.add(keys.shown(entry.keys[0]), colours.faint if reason else colours.key)
            keys_.add(f" {entry.label}   ", colours.faint if reason else colours.dim)
        keys_.add("Esc", colours.key).add(" leave it as it is   ", colours.dim)
        keys_.add("j k", colours.key).add(" scroll", colours.dim)
        return [*lines, keys_]

    @property
    def password(self) -> str:
        """What is typed to sign off: the task's name."""
        name = " ".join((self.task_name or "").split())
        return name if 0 < len(name) <= LONGEST_NAME and name.isprintable() else STAND_IN

    # The two steps.

    def _go(self, step: str) -> None:
        self.step, self.said = step, ""
        if step == "read":
            self.word.value = ""
        else:
            self.moved = False
        self.word.display = step == "approve"
        self.note.display = step != "read"
        self.word.placeholder = f"type {self.password}"
        self.note.placeholder = "a note (may be empty)" if step == "approve" else "what is to be done"
        focus = {"approve": self.word, "back": self.note}.get(step, self.sheet)
        focus.focus()
        self._draw()

    def action_approve(self) -> None:
        """Begin to sign off."""
        self._begin("approve", self.why_not(approve=True))

    def action_send_back(self) -> None:
        """Begin to send back."""
        self._begin("back", self.why_not(approve=False))

    def _begin(self, step: str, reason: str) -> None:
        if self.step != "read":
            return
        if reason:
            self._say(reason)
        else:
            self._go(step)

    def _say(self, reason: str) -> None:
        self.said = reason
        self._draw()

    def action_back(self) -> None:
        """Back to reading, and from there out."""
        if self.step == "read":
            self.dismiss(None)
        else:
            self._go("read")

    def action_help(self) -> None:
        """Show keys and symbols."""
        self.team.open_help()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do it, where everything it asks for has been said."""
        event.stop()
        approve = self.step == "approve"
        note = clean_line(self.note.value, MOST_SIGNS)
        if self.step == "read":
            return
        if reason := self.why_not(approve=approve):
            self._say(reason)
        elif approve and " ".join(self.word.value.split()).casefold() != self.password.casefold():
            self._say(f"To sign off, type {self.password}. Nothing is written yet.")
            self.word.focus()
        elif not approve and not note:
            self._say("Say why it goes back: an empty note helps nobody. Nothing is written yet.")
        elif self.report is not None:
            doing = "Signing off" if approve else "Sending back"
            self.dismiss(None)
            self.team.intend(
                SignOff(task=self.task_name, approve=approve, note=note, chain=self.report.chain),
                f"{doing} {clean_line(shown(self.task_name), 60)}",
            )
