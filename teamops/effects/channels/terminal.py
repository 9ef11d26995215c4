"""The channel ``terminal``: the bell of the person's own terminal, and its notification where it has one.

Only the terminal that teamops itself runs in, never an agent's pane. That the bell was rung is known; whether somebody
sat before it is not, so the evidence says what was rung and no more.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import UnsupportedOperation
from typing import TextIO

from teamops.config.channels import Signal
from teamops.effects.channels.signals import BELL, notification, signal_here, signal_of_all, through_tmux
from teamops.effects.channels.words import words_of
from teamops.model.errors import TeamopsError
from teamops.model.page import Answer, Page, Receipt
from teamops.tmux.outer import inside, outer

REST_S = 0.2
"""So long a terminal that took the beginning of something may take for its rest."""


class TerminalChannel:
    """Fulfils ``port.Channel``. ``ring`` is preferred; ``terminal`` is written to where there is none, or it failed."""

    name = "terminal"
    limit_s = 5.0

    def __init__(
        self,
        ring: Callable[[str], bool] | None = None,
        terminal: TextIO | None = None,
        signal: Signal = Signal.AUTO,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        self._ring = ring
        self._terminal = terminal
        self._signal = signal
        self._env = env

    async def start(self, hear: Callable[[Answer], None]) -> str:  # noqa: ARG002 - it carries no answers
        """Say whether there is a terminal at all; whether somebody sits before it shows when it is rung."""
        return "" if self._ring is not None or self._terminal is not None else "no terminal"

    async def deliver(self, page: Page) -> Receipt:
        """Ring, with the page in the terminal's own words."""
        signal, tmux, why = await self._outside()
        told = notification(signal, words_of(page), page.thread or page.id, critical=page.critical)
        written = (through_tmux(told) if tmux else told) + BELL
        try:
            rung = self._write(written)
        except NotTaken as error:
            return Receipt(ok=False, message=error.message, retry=True, hint=error.hint)
        if not rung:
            return Receipt(ok=False, message="no terminal to ring", absent=True, hint="run teamops in a terminal")
        evidence = "bell"
        if told:
            evidence = f"bell and {signal.upper().replace('OSC', 'OSC ')}{', through tmux' if tmux else ''}"
        return Receipt(ok=True, message="terminal bell rung", evidence=f"{evidence}{why and f' ({why})'}")

    async def close(self) -> None:
        """Nothing was opened."""

    async def _outside(self) -> tuple[Signal, bool, str]:
        """Return what the terminal understands, whether tmux is in between, and why it is only rung."""
        if not inside(self._env):
            return (signal_here(self._env) if self._signal is Signal.AUTO else self._signal), False, ""
        if self._signal is Signal.BELL:
            return Signal.BELL, True, ""
        try:
            around = await outer(self._env)
        except TeamopsError:
            return Signal.BELL, True, "tmux did not say what is around it"
        if not around.terminals:
            return Signal.BELL, True, "nobody is attached to its tmux session"
        signal = signal_of_all(around.terminals) if self._signal is Signal.AUTO else self._signal
        if signal is not Signal.BELL and not around.passes:
            return Signal.BELL, True, "tmux lets no more through: set -g allow-passthrough on"
        return signal, True, ""

    def _write(self, text: str) -> bool:
        """Write ``text`` to the first terminal that is there. Raises ``NotTaken``."""
        return (self._ring is not None and self._ring(text)) or (
            self._terminal is not None and write_to(self._terminal, text)
        )


class NotTaken(TeamopsError):  # noqa: N818 - a state of the terminal
    """The terminal is there, and took nothing, or not all."""

    def __init__(self) -> None:
        super().__init__("the terminal takes nothing", "was it stopped? Ctrl+Q lets it go on")


def write_to(terminal: TextIO, text: str) -> bool:
    """Write ``text`` to ``terminal``; return whether it is one. Does not wait. Raises ``NotTaken``."""
    try:
        if not terminal.isatty():
            return False
        if hasattr(terminal, "fileno"):
            with suppress(UnsupportedOperation):
                return write_at_once(os.ttyname(terminal.fileno()), text)
        terminal.write(text)
        terminal.flush()
    except (OSError, ValueError):  # closed, or gone
        return False
    return True


def write_at_once(path: str, text: str) -> bool:
    """Write ``text`` to the terminal at ``path``; return whether there is one. Raises ``NotTaken``.

    Does not wait: a terminal that was stopped (Ctrl+S), or whose other side hangs, takes nothing. One that took a part
    is given a moment for the rest, as half a sequence would swallow what comes after it.
    """
    try:
        terminal = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    left = text.encode("utf-8", "replace")
    end = time.monotonic() + REST_S
    begun = False
    try:
        while left:
            try:
                taken = os.write(terminal, left)
            except BlockingIOError:
                taken = 0
            left, begun = left[taken:], begun or taken > 0
            if left and (not begun or time.monotonic() >= end):
                raise NotTaken
            if left:
                select.select([], [terminal], [], REST_S / 10)
    except OSError:  # gone meanwhile
        return False
    finally:
        os.close(terminal)
    return True
