"""``teamops replay``: the screen on a recorded day."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from teamops.cli.leaving import Leaving
from teamops.cli.options import project_option, state_option
from teamops.model.errors import UsageError

if TYPE_CHECKING:
    from teamops.supervisor.replaying import ReplayPort

FASTEST = 3600


@click.command()
@click.option("--date", "day", default="today", metavar="D", help="today, yesterday, or a day such as 2026-03-28.")
@click.option("--at", metavar="HH:MM[:SS]", help="Begin at this time of that day.")
@click.option(
    "--speed",
    type=click.IntRange(1, FASTEST),
    default=60,
    show_default=True,
    help="Recorded seconds that go by in a second.",
)
@click.option("--json", "as_json", is_flag=True, help="Print that moment as teamops.status/1, with a part replay.")
@project_option
@state_option
def replay(day: str, at: str | None, speed: int, root: Path | None, state_dir: Path | None, *, as_json: bool) -> None:
    """Open the screen on a recorded day: see what happened at 3 AM.

    Read-only, as exact as the ledger is, whether teamops runs meanwhile or not. Space plays, } goes to the next alert,
    @ asks for a time. Without --at it begins where something first happened; with --json, at the end of the record.
    """
    from teamops.cli.place import settings_of

    if not as_json and not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise UsageError("the screen needs a terminal", "without one use: teamops replay --json")
    settings = settings_of(root)
    from teamops.supervisor.lease import state_dir_of
    from teamops.supervisor.replaying import open_replay

    port = open_replay(settings, state_dir_of(settings, state_dir) / "ledger.sqlite3", day)
    if at is not None:
        port.go(port.moment(at))
    elif as_json:
        port.go(port.day.until_wall)
    if as_json:
        click.echo(json.dumps(_as_json(port), ensure_ascii=False, indent=2))
        return
    from teamops.tui.replay_app import ReplayApp

    app = ReplayApp(port, settings, speed=speed)
    with Leaving() as leaving, leaving.by(app.exit):
        app.run()


def _as_json(port: ReplayPort) -> dict[str, Any]:
    """Return the moment that is shown, and the day around it."""
    from teamops.report.replay import replay_json
    from teamops.report.status import status_json

    snapshot = port.snapshot()
    return {**status_json(snapshot), "replay": replay_json(port.day, snapshot)}
