"""``teamops watch``: the supervisor without a screen."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import click

from teamops.cli.project import project_option, settings_of, state_option
from teamops.config.settings import Settings
from teamops.model.snapshot import Snapshot
from teamops.report.status import iso


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
        self._last: object = None
        self._role = ""
        self._first = True

    def __call__(self, snapshot: Snapshot) -> None:
        """Print what is new in ``snapshot``."""
        role = "acting" if snapshot.supervisor.acting else f"viewing: pid {snapshot.supervisor.pid} acts"
        if role != self._role:
            self._role = role
            click.echo(f"{iso(snapshot.stamp.wall)} supervisor {snapshot.project}: {role}")
        fresh = []
        for line in snapshot.log:
            if line is self._last:
                break
            fresh.append(line)
        if self._first:
            fresh, self._first = [], False
        for line in reversed(fresh):
            click.echo(f"{iso(line.wall)} {line.kind:<6} {line.role or '':<10} {'' if line.ok else '! '}{line.text}")
        self._last = snapshot.log[0] if snapshot.log else None


async def _watch(settings: Settings, state_dir: Path | None) -> None:
    from teamops.supervisor.run import supervise_forever

    task = asyncio.create_task(supervise_forever(settings, Printer(), state_dir=state_dir, ring=ring_bell))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        click.echo("teamops: supervision ended; the agents keep running", err=True)


def ring_bell(text: str) -> bool:
    """Ring the terminal's bell and print ``text``; return whether somebody may have seen it."""
    click.echo(f"\a{text}", err=True)
    return sys.stderr.isatty()
