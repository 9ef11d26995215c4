"""Jump: to a time of the replayed day."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input

from teamops.model.errors import TeamopsError
from teamops.model.replay import Recording
from teamops.tui.screens.base import TeamWindow
from teamops.tui.strips import Line
from teamops.tui.theme import Palette
from teamops.tui.widgets.page import Page


class JumpWindow(TeamWindow):
    """Asks for a time; Enter goes there, and a time that the day does not have is told so."""

    BINDINGS = [("escape", "back", "cancel")]  # noqa: RUF012 - Textual declares it so
    DEFAULT_CSS = """
    JumpWindow Input, JumpWindow Input:focus { padding: 0 1; margin: 1 0; background: $panel; }
    """

    def __init__(self, palette: Palette, recording: Recording) -> None:
        super().__init__()
        self.palette = palette
        self.recording = recording
        self.head = Page(palette)
        self.foot = Page(palette)
        self.line = Input(compact=True, placeholder="02:13, or 02:13:05; start, end", max_length=20)

    def compose(self) -> ComposeResult:
        """Make question, time and keys."""
        with Vertical(classes="window") as frame:
            frame.border_title = "Go to"
            yield self.head
            yield self.line
            yield self.foot

    def on_mount(self) -> None:
        """Ask."""
        day, colours = self.recording.day, self.palette
        self.head.show([Line().add(f"To which time of {day.day}?", colours.text)])
        foot = Line().add("Enter", colours.key).add(" go   ", colours.dim)
        self.foot.show([foot.add("Esc", colours.key).add(" stay", colours.dim)])
        self.line.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go there, if the day has that time."""
        event.stop()
        text = event.value.strip().lower()
        ends = {"start": self.recording.day.since_wall, "end": self.recording.day.until_wall}
        try:
            wall = ends[text] if text in ends else self.recording.moment(text)
        except TeamopsError as error:
            self.team.refuse(f"{error.message}: {error.hint}")
            return
        self.dismiss(None)
        self.team.go_to_moment(wall)
