"""``teamops``: the screen on this folder's team."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from teamops.cli.leaving import Leaving
from teamops.cli.place import root_of
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.snapshot import AttachPlan
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings

BACK_MS = 8000
"""So long the way back is shown in the attached session."""
NEVER_THERE_S = 1.0
STANDING_S = 10.0
"""By then the screen stands, and the first reading of a long handoff file is done too."""
LAST_ACTS_S = 11.0
"""An act has its outcome within 10 s, or is given up."""


def open_screen(
    root: Path | None = None, *, state_dir: Path | None = None, farewell: str = "", leaving: Leaving | None = None
) -> None:
    """Open the screen on the project in ``root`` and supervise it while it is open.

    ``farewell`` is said on leaving instead of the usual word. A signal that ends the program gives the terminal back
    first; ``leaving``: who began more than the screen listens for it already. Raises ``UsageError`` where there is no
    terminal or no project.
    """
    from teamops.config.load import load

    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # Textual draws on stderr
        raise UsageError("the screen needs a terminal", "without one use: teamops status, or teamops watch")
    settings = load(root_of(root))
    if settings.watch_only and not settings.handoff.exists():
        raise UsageError(
            f"there is no {settings.handoff.name} and no teamops.toml in {settings.root}",
            "set up a team here: teamops init; or see one at work: teamops demo",
        )
    if state_dir is None and os.environ.get("TEAMOPS_STATE_DIR"):
        state_dir = Path(os.environ["TEAMOPS_STATE_DIR"])
    if leaving is None:
        with Leaving() as leaving:
            _open(settings, state_dir, farewell, leaving)
    else:
        _open(settings, state_dir, farewell, leaving)


def _open(settings: Settings, state_dir: Path | None, farewell: str, leaving: Leaving) -> None:
    from teamops.supervisor.thread import SupervisorThread

    supervisor = SupervisorThread(settings, state_dir=state_dir, ring=ring_bell, screen=True)
    # Started before the screen's own imports: both are mostly waiting for files.
    supervisor.start()
    standing = threading.Timer(STANDING_S, _collect_again)
    standing.daemon = True
    standing.start()
    try:
        from teamops.cli.title import Title
        from teamops.tui.app import TeamopsApp

        with Title(write_title) as title:
            supervisor.subscribe(title.take)
            attach = partial(run_attach, leaving=leaving)
            app = TeamopsApp(supervisor, settings, run_attach=title.leaving_it(attach))
            app.farewell = farewell or app.farewell
            app.on_drawn = supervisor.screen_stands
            with leaving.by(app.exit):
                app.run()
                _await_ends(app.doing)
    finally:
        standing.cancel()
        supervisor.stop()
    if supervisor.failed:
        raise UsageError(f"the supervisor ended: {supervisor.failed}", "see teamops watch for more")


def _collect_again() -> None:
    """Let garbage be collected again; what the imports made stays for good and need not be looked through each time.

    What a start imports has its bytecode by now.
    """
    from teamops.sdk.bytecode import keep_none

    keep_none()
    gc.collect()
    gc.freeze()
    gc.enable()


def _await_ends(doing: list[tuple[str, threading.Event]]) -> None:
    """Let what the person asked for come to its end, so that its outcome is recorded; the terminal is free already."""
    end = time.monotonic() + LAST_ACTS_S
    for act, ended in doing:
        with contextlib.suppress(OSError):  # a closed terminal
            sys.stderr.write(f"teamops: {act}: not done yet, its end is awaited (Ctrl+C leaves it)\n")
            sys.stderr.flush()
        try:
            ended.wait(max(0.0, end - time.monotonic()))
        except KeyboardInterrupt:
            return


def run_attach(plan: AttachPlan, leaving: Leaving) -> None:
    """Run what brings the person to an agent's session; returns when they are back (or at once, for a switch).

    A signal that ``leaving`` takes brings them back too. Raises ``TeamopsError`` where they never got there.
    """
    env = {name: value for name, value in os.environ.items() if name not in plan.unset}
    # Said where they are then, in the session's own status line: our screen can't be seen from there.
    said = ("display-message", "-d", str(BACK_MS), plan.back.replace("#", "##"))
    began = time.monotonic()
    with (
        subprocess.Popen((*plan.argv, ";", *said), env=env, stderr=subprocess.PIPE, text=True) as tmux,
        leaving.with_it(tmux),
    ):
        _, why = tmux.communicate()
    if tmux.returncode and time.monotonic() - began < NEVER_THERE_S:
        raise TeamopsError(
            f"tmux could not attach: {clean_line(why) or 'it did not say why'}", "is the session still there?"
        )


def ring_bell(text: str) -> bool:
    """Write ``text`` (a bell, a notification's sequence) to our terminal; return whether there is one.

    In one write beside the screen's own, each of which ends at a sequence's end; and without waiting: a terminal that
    was stopped (Ctrl+S) takes nothing. Raises ``TeamopsError`` then.
    """
    from teamops.effects.channels.terminal import write_at_once

    return write_at_once("/dev/tty", text)


def write_title(text: str) -> bool:
    """Write ``text`` to our terminal; return whether it took it."""
    try:
        return ring_bell(text)
    except TeamopsError:
        return False
