"""The line a person types a search into."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input


class SearchBar(Input):
    """Hidden until ``/``; filters while one types, Enter keeps it, Esc drops it."""

    DEFAULT_CSS = """
    SearchBar { dock: bottom; display: none; height: 1; border: none; padding: 0 1; margin: 0 0 1 0;
        background: $panel; color: $foreground; }
    SearchBar:focus { border: none; }
    """
    BINDINGS = [("escape", "drop", "drop the search")]  # noqa: RUF012 - Textual declares it so

    class Typed(Message):
        """The searched text changed."""

        def __init__(self, pane: str, text: str) -> None:
            super().__init__()
            self.pane = pane
            self.text = text

    class Left(Message):
        """The person is done typing; ``kept``: the search stays."""

        def __init__(self, pane: str, *, kept: bool) -> None:
            super().__init__()
            self.pane = pane
            self.kept = kept

    def __init__(self) -> None:
        super().__init__(id="search", compact=True, max_length=200)
        self.pane = ""

    def open(self, pane: str, text: str) -> None:
        """Take the focus and search in ``pane``."""
        self.pane = pane
        with self.prevent(Input.Changed):
            self.value = text
        self.placeholder = "Search all blocks…" if pane == "handoff" else f"Filter the {pane}…"
        self.display = True
        self.focus()

    def close(self, *, kept: bool = False) -> None:
        """Give the focus back."""
        self.display = False
        self.post_message(self.Left(self.pane, kept=kept))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass on what was typed."""
        event.stop()
        if self.display:
            self.post_message(self.Typed(self.pane, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the search."""
        event.stop()
        self.close(kept=bool(event.value.strip()))

    def action_drop(self) -> None:
        """Drop the search."""
        self.close()
