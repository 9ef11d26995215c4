"""Which tmux server is meant, and where the tmux program is."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from teamops.model.errors import TeamopsError

DEFAULT_NAME = "default"
"""The name tmux gives to the server that a person gets by typing ``tmux``."""

_INSTALLERS = (
    ("apt-get", "sudo apt-get install -y tmux"),
    ("dnf", "sudo dnf install -y tmux"),
    ("pacman", "sudo pacman -S tmux"),
    ("zypper", "sudo zypper install tmux"),
    ("apk", "sudo apk add tmux"),
    ("brew", "brew install tmux"),
)


def install_hint() -> str:
    """Return the line that installs tmux here."""
    for program, line in _INSTALLERS:
        if shutil.which(program):
            return f"install it with: {line.removeprefix('sudo ') if os.getuid() == 0 else line}"
    if sys.platform == "darwin":
        return "install Homebrew, then: brew install tmux"
    return "install the package tmux with your system's package manager"


def tmux_program() -> str:
    """Return the path of the tmux program. Raises ``TeamopsError`` with the line that installs it."""
    found = shutil.which("tmux")
    if found is None:
        raise TeamopsError("tmux is missing", install_hint())
    return found


def plain_env(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return ``env`` without what a surrounding tmux told: a command with ``TMUX`` set may mean another server."""
    return {name: value for name, value in env.items() if name not in {"TMUX", "TMUX_PANE"}}


class Socket(Struct, frozen=True):
    """A tmux server, by its name (``-L``) or its socket's path (``-S``, wins). Both empty: the person's default server.

    The default server is always named, so that the same one is meant inside another server's pane.
    """

    name: str = ""
    path: str = ""

    def argv(self) -> list[str]:
        """Return the program and the options that aim at this server. Raises ``TeamopsError`` where tmux is missing.

        ``-u``: what tmux prints is UTF-8 whatever the locale; without it, all else comes as ``_``.
        """
        where = ["-S", self.path] if self.path else ["-L", self.name or DEFAULT_NAME]
        return [tmux_program(), "-u", *where]

    def file(self, env: Mapping[str, str] = os.environ) -> Path:
        """Return the path of the socket's file, which needs not exist."""
        if self.path:
            return Path(self.path)
        return Path(env.get("TMUX_TMPDIR") or "/tmp") / f"tmux-{os.getuid()}" / (self.name or DEFAULT_NAME)  # noqa: S108 - tmux's own place
