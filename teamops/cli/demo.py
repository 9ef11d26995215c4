"""``teamops demo``: a team at work, without a team."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import sys
from pathlib import Path

import click

from teamops.cli.leaving import Leaving
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.snapshot import Snapshot

FAREWELL = "teamops: the demo is over, and its team with it."


@click.command()
@click.option("--headless", is_flag=True, help="Without a screen: progress on stderr, the last status on stdout.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="With --headless: end after so long.")
@click.option(
    "--pace",
    type=click.FloatRange(min=0, min_open=True, max=1000),
    default=1.0,
    show_default=True,
    help="How quickly the agents act. Thresholds stay as they are.",
)
@click.option("--seed", type=int, default=None, help="Where the story begins (default: anywhere).")
@click.option("--json", "as_json", is_flag=True, help="With --headless: print teamops.status/1.")
def demo(*, headless: bool, seconds: float | None, pace: float, seed: int | None, as_json: bool) -> None:
    """Watch a simulated team at work, in a private tmux server.

    Six agents hand work to each other through a current.md of their own. All of it is gone when you leave. A line typed
    into an agent (poke) is heard; "sleep", "wake" and "dialog" make it ignore its turns, stop that, and ask you.
    """
    if math.isnan(pace) or (seconds is not None and math.isnan(seconds)):
        raise UsageError("--pace and --seconds have to be numbers", "for instance: --pace 2")
    if not headless and (seconds is not None or as_json):
        raise UsageError("--seconds and --json belong to --headless", "add --headless")
    if not headless and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError("the screen needs a terminal", "without one use: teamops demo --headless --seconds 60")
    from teamops.demo.team import start_team

    number = int.from_bytes(os.urandom(2)) if seed is None else seed
    with Leaving() as leaving, start_team(pace=pace, seed=number) as team:
        # For the readers of transcripts in this process: the demo's, and never the person's own.
        os.environ["CLAUDE_CONFIG_DIR"] = str(team.claude_dir)
        _vouch(team.root, team.state_dir)
        if headless:
            snapshot = _run_headless(team.root, team.state_dir, seconds, leaving)
        else:
            from teamops.cli.screen import open_screen

            open_screen(team.root, state_dir=team.state_dir, farewell=FAREWELL, leaving=leaving)
            return
    from teamops.cli.status import show

    show(snapshot, as_json=as_json)


def _vouch(root: Path, state_dir: Path) -> None:
    """Record the sample's own sign-offs: nobody forged the week that the demo begins with."""
    import time

    from teamops.config.load import load
    from teamops.handoff import parse
    from teamops.ledger.store import open_ledger
    from teamops.model.protocol import Approval
    from teamops.model.role import HUMAN
    from teamops.supervisor.lease import state_dir_of

    settings = load(root)
    with contextlib.closing(open_ledger(state_dir_of(settings, state_dir) / "ledger.sqlite3")) as ledger:
        for block in parse(settings.handoff.read_bytes()).blocks:
            if block.role == HUMAN:
                ledger.audit.add_approval(
                    Approval(
                        task=block.task,
                        approver="the sample",
                        wall=time.time(),
                        verdict="recorded",
                        note="",
                        digest=block.digest,
                        chain="",
                    )
                )


def _run_headless(root: Path, state_dir: Path, seconds: float | None, leaving: Leaving) -> Snapshot:
    """Supervise for so long, or until interrupted; return the last snapshot."""
    from teamops.config.load import load
    from teamops.supervisor.run import supervise_forever

    latest: list[Snapshot] = []
    said: set[tuple[float, str]] = set()

    def publish(snapshot: Snapshot) -> None:
        latest[:] = [snapshot]
        for line in reversed(snapshot.log):
            if line.kind != "source" and (line.wall, line.text) not in said:
                said.add((line.wall, line.text))
                click.echo(f"{line.kind:>6}  {line.role or '':<9}  {line.text}", err=True)

    work: list[asyncio.Task[None]] = []

    async def run() -> None:
        work.append(asyncio.ensure_future(supervise_forever(load(root), publish, state_dir=state_dir)))
        async with asyncio.timeout(seconds):
            await work[0]

    def leave() -> None:
        for task in work:
            task.cancel()

    with leaving.by(leave), contextlib.suppress(KeyboardInterrupt, TimeoutError, asyncio.CancelledError):
        asyncio.run(run())
    if not latest:
        raise TeamopsError("the demo ended before anything was seen", "give it more --seconds")
    return latest[0]
