"""The channel ``terminal``: the bell, and a notification of the terminal's own where it knows OSC 9."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from teamops.effects.notify import write_signal
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
