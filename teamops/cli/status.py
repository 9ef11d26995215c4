"""``teamops status``: one look at the team."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import settings_of
from teamops.model.errors import UsageError
from teamops.model.snapshot import Snapshot
from teamops.report.status import status_json, status_text


@click.command()
@project_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print teamops.status/1.")
@click.option("--watch", "keep", is_flag=True, help="Print again whenever something changes.")
def status(root: Path | None, state_dir: Path | None, *, as_json: bool, keep: bool) -> None:
    """Say whose turn it is, who works, and what needs you.

    With --json --watch: one JSON object per line.
    """
    settings = settings_of(root)
    if not settings.handoff.exists() and settings.watch_only:
        raise UsageError(
            f"there is no {settings.handoff.name} and no teamops.toml in {settings.root}",
            "go to a project's folder, name it with -C, or set up a team here: teamops init",
        )
    from teamops.supervisor.run import look, look_on

    if not keep:
        show(asyncio.run(look(settings, state_dir=state_dir)), as_json=as_json)
        return
    last: list[object] = [None]

    def publish(snapshot: Snapshot) -> None:
        facts = (snapshot.lights and [(light.role, light.state, light.task) for light in snapshot.lights],)
        agents = [(agent.role, agent.state, agent.pid) for agent in snapshot.agents]
        handoff = (len(snapshot.blocks), snapshot.findings)
        key = (facts, agents, snapshot.alerts, handoff, snapshot.cost_today_usd)
        if snapshot.ready and key != last[0]:
            last[0] = key
            if as_json:
                click.echo(json.dumps(status_json(snapshot), ensure_ascii=False))
            else:
                click.clear()
                click.echo(status_text(snapshot))

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(look_on(settings, publish, state_dir=state_dir))


def show(snapshot: Snapshot, *, as_json: bool) -> None:
    """Print a snapshot for a program or a person."""
    if as_json:
        click.echo(json.dumps(status_json(snapshot), ensure_ascii=False, indent=2))
    else:
        click.echo(status_text(snapshot))
