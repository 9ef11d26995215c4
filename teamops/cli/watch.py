"""``teamops watch``: the supervisor without a screen."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click

from teamops.cli.lines import Lines
from teamops.cli.options import project_option, state_option
from teamops.cli.place import settings_of
from teamops.config.settings import Settings
from teamops.model.snapshot import LogLine, Snapshot
from teamops.report.times import iso

LAST_WORDS_S = 0.5
"""So long what was said last may take to be written; a terminal that was stopped takes nothing."""


@click.command()
@project_option
@state_option
def watch(root: Path | None, state_dir: Path | None) -> None:
    """Supervise this folder's team without a screen, until interrupted.

    Prints one line per event. If another supervisor acts on this project, this one views, and takes over when the
    other ends.
    """
    asyncio.run(_watch(settings_of(root), state_dir))


class Printer:
    """Prints each log line once, oldest first."""

    def __init__(self, say: Callable[[str], None] = click.echo) -> None:
        self._say = say
        self._log: tuple[LogLine, ...] | None = None
        self._printed: frozenset[LogLine] | None = None
        """What stood in the log before; ``None`` = nothing was seen yet, and all of it is history."""
        self._role = ""

    def __call__(self, snapshot: Snapshot) -> None:
        """Print what is new in ``snapshot``: by its words, as a log that is read back is made of other objects."""
        who = snapshot.supervisor
        role = "acting" if who.acting else f"viewing: pid {who.pid} {'hangs' if who.hangs else 'acts'}"
        if role != self._role:
            self._role = role
            self._say(f"{iso(snapshot.stamp.wall)} supervisor {snapshot.project}: {role}")
        if snapshot.log is self._log:
            return
        self._log, lines = snapshot.log, frozenset(snapshot.log)
        if self._printed is not None and lines != self._printed:
            for line in reversed(snapshot.log):
                if line not in self._printed:
                    good = "" if line.ok else "! "
                    self._say(f"{iso(line.wall)} {line.kind:<6} {line.role or '':<10} {good}{line.text}")
        self._printed = lines


async def _watch(settings: Settings, state_dir: Path | None) -> None:
    from teamops.effects.systemd import Systemd
    from teamops.sdk.bytecode import keep_none
    from teamops.supervisor.run import supervise_forever

    loop = asyncio.get_running_loop()
    manager = Systemd()
    unheard: list[BrokenPipeError] = []

    def gone(error: BrokenPipeError) -> None:
        # Who reads this has left: the end of this program, and no defect to begin again after.
        unheard.append(error)
        with contextlib.suppress(RuntimeError):  # it has ended already
            loop.call_soon_threadsafe(task.cancel)

    out, asides = Lines(sys.stdout, gone), Lines(sys.stderr)
    said = [""]

    def on_round(snapshot: Snapshot) -> None:
        if snapshot.ready:
            keep_none()
        manager.see_round(status_words(snapshot), ready=snapshot.ready)
        if manager.trouble != said[0]:
            said[0] = manager.trouble
            if manager.trouble:
                asides.say(f"teamops: {manager.trouble}")

    work = supervise_forever(settings, Printer(out.say), state_dir=state_dir, ring=ring_bell, on_round=on_round)
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if unheard:
            raise unheard[0] from None
        manager.stopping()
        asides.say("teamops: supervision ended; the agents keep running")
    finally:
        for lines in (out, asides):
            lines.close(LAST_WORDS_S)


def status_words(snapshot: Snapshot) -> str:
    """Return how things stand, in a few words."""
    who = "acting" if snapshot.supervisor.acting else f"viewing, pid {snapshot.supervisor.pid} acts"
    alerts = sum(alert.listed for alert in snapshot.alerts)
    lights = ", ".join(dict.fromkeys(str(light.role) for light in snapshot.lights)) or "nobody"
    return f"{who}; {lights} has the light; {alerts} open alerts"


def ring_bell(text: str) -> bool:
    """Write ``text`` (a bell, a notification's sequence) to the terminal we run in; return whether there is one.

    Does not wait. Raises ``TeamopsError`` where it takes nothing. What it is about is a line of the events as well.
    """
    from teamops.effects.channels.terminal import write_to

    return write_to(sys.stderr, text)
