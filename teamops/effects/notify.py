"""Tells the person: on the desktop, and where that fails through the terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

from teamops.config.settings import NotifySettings
from teamops.effects.desktop import Desktop, DesktopTrouble
from teamops.model.actions import Notify, Outcome
from teamops.model.text import clean_line

LINE_LIMIT = 200

HINT = "start a notification daemon in this session (dunst, mako, your desktop's own), or allow notify.terminal"


class Notifier:
    """Sends notifications, each over the best way that works at that moment.

    ``ring`` is given the text where there is no desktop, and returns whether somebody may have seen it; ``terminal``
    is rung by the bell and OSC 9 where there is no ``ring`` or it returned false. Neither is used when
    ``settings.terminal`` is off.
    """

    def __init__(
        self,
        settings: NotifySettings,
        terminal: TextIO | None = None,
        *,
        ring: Callable[[str], bool] | None = None,
        desktop: Desktop | None = None,
    ) -> None:
        self._settings = settings
        self._terminal = terminal
        self._ring = ring
        self._desktop = desktop or Desktop()
        self._reason = ""

    @property
    def trouble(self) -> str:
        """Why the desktop was not reached the last time, and what happens instead; empty = it is well.

        Desktop notifications that are switched off are no trouble.
        """
        if not self._reason:
            return ""
        can_ring = self._settings.terminal and (self._ring is not None or self._terminal is not None)
        return f"{self._reason}: notifications {'ring the terminal bell' if can_ring else 'reach nobody'}"

    async def start(self) -> None:
        """Find out whether the desktop can be reached, for ``trouble``. Takes 2 s at most; never raises."""
        if self._settings.desktop:
            try:
                await self._desktop.probe()
            except DesktopTrouble as trouble:
                self._reason = trouble.reason
            else:
                self._reason = ""

    async def send(self, action: Notify) -> Outcome:
        """Tell the person. The outcome says by which way, and is not ok when there was none."""
        reason = "desktop notifications are switched off"
        if self._settings.desktop:
            try:
                who = await self._desktop.send(action.title, action.body, critical=action.critical)
            except DesktopTrouble as trouble:
                reason = self._reason = trouble.reason
            else:
                self._reason = ""
                return Outcome(ok=True, message="desktop notification shown", evidence=f"taken by {who}")
        line = clean_line(f"{action.title}: {action.body}" if action.body else action.title, LINE_LIMIT)
        if self._settings.terminal:
            if self._ring is not None and self._ring(line):
                return Outcome(ok=True, message=f"terminal bell rung: {reason}", evidence="bell")
            if self._terminal is not None and write_signal(self._terminal, line):
                return Outcome(ok=True, message=f"terminal bell rung: {reason}", evidence="bell and OSC 9")
        return Outcome(ok=False, message=f"nobody was notified: {reason}", hint=HINT)

    async def close(self) -> None:
        """Leave the desktop's bus."""
        await self._desktop.close()


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
