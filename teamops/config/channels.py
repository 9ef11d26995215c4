"""The tables [notify.remote] and [notify.command] → where pages go beside the desktop and the terminal."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

KeyPath = tuple[str, ...]
_OWN = ("desktop", "terminal", "channels", "signal")
WAYS = (*_OWN, "remote", "command")
"""Keys of ``notify`` that say by which way; all others say when."""


class Signal(StrEnum):
    """What a terminal understands, beside its bell."""

    AUTO = "auto"
    """As the terminal says of itself; nothing where it doesn't."""
    BELL = "bell"
    OSC9 = "osc9"
    """iTerm2, WezTerm, ghostty."""
    OSC777 = "osc777"
    """foot, urxvt."""
    OSC99 = "osc99"
    """kitty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSettings:
    """Services that carry a page to a phone or a chat, by apprise's addresses. An address is a secret."""

    urls: tuple[str, ...] = field(default=(), repr=False)
    urls_env: str = ""
    """Name of the environment variable that holds more of them, separated by blanks or commas."""
    urls_file: Path | None = None
    """Holds more of them, one a line; readable to its owner alone."""
    timeout_s: float = 20.0
    """Each of them may take so long; all are told at the same time."""

    @property
    def configured(self) -> bool:
        """Some address is told, or where it is."""
        return bool(self.urls or self.urls_env or self.urls_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSettings:
    """The person's own program, run with each page on its standard input."""

    command: tuple[str, ...] = ()
    """Program and arguments; empty = there is none."""
    cwd: Path = Path()
    """The project's folder."""
    timeout_s: float = 10.0


def read(values: Mapping[KeyPath, object], root: Path, resolved: Callable[[object], Path]) -> dict[str, Any]:
    """Return the fields of ``NotifySettings`` that the tables below [notify] set, and its own keys.

    ``resolved``: how a path is meant.
    """
    own = {name: values["notify", name] for name in _OWN if ("notify", name) in values}
    remote = {path[2]: value for path, value in values.items() if path[:2] == ("notify", "remote") and len(path) == 3}
    command = {path[2]: value for path, value in values.items() if path[:2] == ("notify", "command") and len(path) == 3}
    if "urls_file" in remote:
        remote["urls_file"] = resolved(remote["urls_file"])
    # The schema gives each value its type.
    own["remote"] = RemoteSettings(**remote)  # type: ignore[arg-type]
    own["command"] = CommandSettings(**(command and {"cwd": root} | command))  # type: ignore[arg-type]
    return own


def conflicts(channels: tuple[str, ...], remote: RemoteSettings, command: CommandSettings) -> Iterator[str]:
    """Say which channels are named and have nowhere to go."""
    if "remote" in channels and not remote.configured:
        yield "names remote, and [notify.remote] tells no address (urls_file, urls_env or urls)"
    if "command" in channels and not command.command:
        yield "names command, and [notify.command] has no command"


def remarks(
    root: Path, remote: RemoteSettings, command: CommandSettings, resolved: Callable[[object], Path]
) -> Iterator[tuple[KeyPath, str]]:
    """Say what is unwise though it works: where, and what."""
    if remote.urls:
        at = ("notify", "remote", "urls")
        yield (
            at,
            "notify.remote.urls can be read by every agent: put them into a file of yours (notify.remote.urls_file)",
        )
    file = remote.urls_file
    if file is not None:
        at = ("notify", "remote", "urls_file")
        if file.is_relative_to(root):
            yield at, "notify.remote.urls_file lies in the project, where agents work: put it into your home"
        try:
            mode = file.stat().st_mode
        except OSError as error:
            yield at, f"notify.remote.urls_file: {file} can't be read: {error.strerror}"
        else:
            if not stat.S_ISREG(mode):
                yield at, f"notify.remote.urls_file: {file} is no file, and is not read"
            elif mode & 0o077:
                yield at, f"notify.remote.urls_file is not yours alone, and is not used so: chmod 600 {file}"
    if command.command:
        for word in command.command:
            named = resolved(word)
            if ("/" in word or named.is_file()) and named.is_relative_to(root):
                at = ("notify", "command", "command")
                yield (
                    at,
                    f"notify.command runs {named.relative_to(root)}: an agent that may change it acts as you by it",
                )
                return
