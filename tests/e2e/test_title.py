"""The window's title in a real terminal: ours while the screen is open, the person's before and after."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import pytest

from tests.terminal import Terminal

pytestmark = pytest.mark.tmux


def test_the_title_is_ours_only_while_the_screen_is_open(tmp_path: Path) -> None:
    (tmp_path / "current.md").write_text("### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: done\n**Turn**: DEVELOPER\n")
    teamops = shlex.join([sys.executable, "-m", "teamops"])
    script = f"printf '\\033]2;mine\\033\\\\'; {teamops}; echo left; exec cat"
    with Terminal(["sh", "-c", script], cwd=tmp_path, env={"TEAMOPS_STATE_DIR": str(tmp_path / "state")}) as terminal:

        def title(wanted: str) -> None:
            end = time.monotonic() + 20.0
            while wanted not in (seen := terminal._tmux("display-message", "-p", "#{pane_title}")):
                assert time.monotonic() < end, f"{seen}\n{terminal.text()}"
                time.sleep(0.05)

        terminal._tmux("split-window", "-d", "exec cat")
        others = terminal._tmux("display-message", "-p", "-t", ".1", "#{pane_title}")
        terminal.wait_for("DEVELOPER")
        title("DEVELOPER – teamops ")  # noqa: RUF001 - a dash for people
        assert terminal._tmux("display-message", "-p", "-t", ".1", "#{pane_title}") == others
        terminal.keys("q")
        terminal.wait_for("left")
        title("mine")
