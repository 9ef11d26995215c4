"""Every channel by its name. A new one is a row here and its name in ``config.settings.CHANNELS``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TextIO

from teamops.config.settings import NotifySettings
from teamops.effects.channels.port import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a channel may need of the process that it lives in."""

    ring: Callable[[str], bool] | None = None
    """Writes to the terminal of our screen what it is given, as it stands (a bell, a sequence), and returns whether
    there is one. Raises ``terminal.NotTaken``. Called in the loop's thread: it must not wait."""
    terminal: TextIO | None = None
    """Written to where ``ring`` is not there, or returned false."""


Make = Callable[[NotifySettings, Around], Channel]


def _desktop(_: NotifySettings, __: Around) -> Channel:
    from teamops.effects.channels.desktop import DesktopChannel

    return DesktopChannel()


def _terminal(settings: NotifySettings, around: Around) -> Channel:
    from teamops.effects.channels.terminal import TerminalChannel

    return TerminalChannel(around.ring, around.terminal, settings.signal)


def _remote(settings: NotifySettings, _: Around) -> Channel:
    from teamops.effects.channels.remote import RemoteChannel

    return RemoteChannel(settings.remote)


def _command(settings: NotifySettings, _: Around) -> Channel:
    from teamops.effects.channels.command import CommandChannel

    return CommandChannel(settings.command)


MAKERS: Mapping[str, Make] = {"desktop": _desktop, "terminal": _terminal, "remote": _remote, "command": _command}
"""Name → how it is made. What it needs is imported then: a channel that is not configured costs nothing."""


def channels(settings: NotifySettings, around: Around) -> list[Channel]:
    """Return the configured channels, the first to be tried first."""
    return [MAKERS[name](settings, around) for name in settings.order]
