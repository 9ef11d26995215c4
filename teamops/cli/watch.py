"""``teamops watch``: the supervisor without a screen."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import settings_of
from teamops.config.settings import Settings
from teamops.model.snapshot import LogLine, Snapshot
from teamops.report.times import iso


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

    def __init__(self) -> None:
        self._log: tuple[LogLine, ...] | None = None
        self._printed: frozenset[LogLine] | None = None
        """What stood in the log before; ``None`` = nothing was seen yet, and all of it is history."""
        self._role = ""

    def __call__(self, snapshot: Snapshot) -> None:
        """Print what is new in ``snapshot``: by its words, as a log that is read back is made of other objects."""
        role = "acting" if snapshot.supervisor.acting else f"viewing: pid {snapshot.supervisor.pid} acts"
        if role != self._role:
            self._role = role
            click.echo(f"{iso(snapshot.stamp.wall)} supervisor {snapshot.project}: {role}")
        if snapshot.log is self._log:
            return
        self._log, lines = snapshot.log, frozenset(snapshot.log)
        if self._printed is not None and lines != self._printed:
            for line in reversed(snapshot.log):
                if line not in self._printed:
                    good = "" if line.ok else "! "
                    click.echo(f"{iso(line.wall)} {line.kind:<6} {line.role or '':<10} {good}{line.text}")
        self._printed = lines


async def _watch(settings: Settings, state_dir: Path | None) -> None:
    from teamops.supervisor.run import supervise_forever

    printer = Printer()
    unheard: list[BrokenPipeError] = []

    def publish(snapshot: Snapshot) -> None:
        try:
            printer(snapshot)
        except BrokenPipeError as error:
            # Who reads this has left: the end of this program, and no defect to begin again after.
            unheard.append(error)
            task.cancel()

    task = asyncio.create_task(supervise_forever(settings, publish, state_dir=state_dir, ring=ring_bell))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if unheard:
            raise unheard[0] from None
        click.echo("teamops: supervision ended; the agents keep running", err=True)


def ring_bell(text: str) -> bool:
    """Ring the terminal's bell and print ``text``; return whether somebody may have seen it."""
    click.echo(f"\a{text}", err=True)
    return sys.stderr.isatty()
