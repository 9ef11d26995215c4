"""The channel ``terminal``: the bell, and a notification of the terminal's own where it knows OSC 9."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

from teamops.model.page import Answer, Page, Receipt
from teamops.model.text import clean_line

LINE_LIMIT = 200


class TerminalChannel:
    """Fulfils ``port.Channel``. ``ring`` is preferred; ``terminal`` is written to where there is none, or it failed."""

    name = "terminal"
    limit_s = 5.0

    def __init__(self, ring: Callable[[str], bool] | None = None, terminal: TextIO | None = None) -> None:
        self._ring = ring
        self._terminal = terminal

    async def start(self, hear: Callable[[Answer], None]) -> str:  # noqa: ARG002 - it carries no answers
        """Say whether there is a terminal at all; whether somebody sits before it shows when it is rung."""
        return "" if self._ring is not None or self._terminal is not None else "no terminal"

    async def deliver(self, page: Page) -> Receipt:
        """Ring, with the page in one line."""
        line = clean_line(": ".join(part for part in (page.title, page.body) if part), LINE_LIMIT)
        if self._ring is not None and self._ring(line):
            return Receipt(ok=True, message="terminal bell rung", evidence="bell")
        if self._terminal is not None and write_signal(self._terminal, line):
            return Receipt(ok=True, message="terminal bell rung", evidence="bell and OSC 9")
        return Receipt(ok=False, message="no terminal to ring", absent=True, hint="run teamops in a terminal")

    async def close(self) -> None:
        """Nothing was opened."""


def signal_for(line: str, *, tmux: bool) -> str:
    """Return what makes a terminal call its person: the bell, and OSC 9 with ``line``, passed through tmux."""
    line = clean_line(line, LINE_LIMIT)
    # A leading number means something else to some terminals (9;4 is a progress bar), hence the name.
    escape = f"\x1b]9;teamops: {line}\x1b\\"
    if tmux:
        # tmux shows the bell to the person in any window; OSC 9 passes only with allow-passthrough.
        escape = "\x1bPtmux;" + escape.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    return escape + "\a"


def write_signal(terminal: TextIO, line: str) -> bool:
    """Ring ``terminal`` with ``line``; return whether it is one and took it."""
    try:
        if not terminal.isatty():
            return False
        terminal.write(signal_for(line, tmux=bool(os.environ.get("TMUX"))))
        terminal.flush()
    except (OSError, ValueError):  # closed, or gone
        return False
    return True
