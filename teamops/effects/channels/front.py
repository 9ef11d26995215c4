"""The way back to the terminal that teamops runs in, as far as that terminal can be told from outside.

Done only when the person asks for it. What works depends on the terminal; where nothing does, nothing is offered.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from threading import Thread

from teamops.tmux.socket import plain_env

LIMIT_S = 3.0
_APPS = {"iTerm.app": "iTerm", "Apple_Terminal": "Terminal", "WezTerm": "WezTerm", "ghostty": "Ghostty"}
"""TERM_PROGRAM → the app's name on macOS."""


class Front:
    """How to bring the terminal to the front. Belongs to whoever runs in it."""

    def __init__(self, env: Mapping[str, str] = os.environ, system: str = os.uname().sysname) -> None:
        self._steps = steps(env, system)

    @property
    def known(self) -> bool:
        """There is a way."""
        return bool(self._steps)

    def go(self) -> None:
        """Take it. Returns at once; what fails has moved nothing."""
        if self._steps:
            Thread(target=self._walk, name="to the front", daemon=True).start()

    def _walk(self) -> None:
        for words in self._steps:
            try:
                subprocess.run(
                    words,
                    env=plain_env(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=LIMIT_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired):
                continue  # gone meanwhile: the next step may still help


def steps(env: Mapping[str, str], system: str) -> tuple[Sequence[str], ...]:
    """Return the programs that bring the terminal of ``env`` to the front: its window, then our pane in it."""
    found: list[Sequence[str]] = []
    path = env.get("PATH")
    window = env.get("WINDOWID", "")
    if system == "Darwin":
        app = _APPS.get(env.get("TERM_PROGRAM", ""))
        found += [["open", "-a", app]] if app else []
    elif env.get("KITTY_LISTEN_ON") and env.get("KITTY_WINDOW_ID", "").isdigit() and shutil.which("kitten", path=path):
        match = f"id:{env['KITTY_WINDOW_ID']}"
        found.append(["kitten", "@", "--to", env["KITTY_LISTEN_ON"], "focus-window", "--match", match])
    elif env.get("DISPLAY") and window.isdigit():
        for words in (["xdotool", "windowactivate", window], ["wmctrl", "-i", "-a", window]):
            if shutil.which(words[0], path=path):
                found.append(words)
                break
    socket, pane = env.get("TMUX", "").split(",")[0], env.get("TMUX_PANE", "")
    if socket and pane.startswith("%") and shutil.which("tmux", path=path):
        found.append(["tmux", "-S", socket, "-N", "select-window", "-t", pane, ";", "select-pane", "-t", pane])
    return tuple(found)
