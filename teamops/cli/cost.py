"""``teamops cost``: what this project's team cost."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.model.cost_report import CostReport
    from teamops.model.snapshot import Snapshot

WIDEST = 160


@click.command()
@project_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print teamops.cost/1: all that the cost screen shows.")
def cost(root: Path | None, state_dir: Path | None, *, as_json: bool) -> None:
    """Say what this project's agents cost today, in 7 and in 30 days, how fast, and where that leads today.

    By agent, model and task, with their runaways. What all clients of this user used, in every project: teamops usage.
    """
    from teamops.cli.place import settings_of

    report, snapshot = asyncio.run(_look(settings_of(root), state_dir))
    from teamops.report.cost import cost_json, cost_report_text

    if as_json:
        click.echo(json.dumps(cost_json(report, snapshot), ensure_ascii=False, indent=2))
    else:
        click.echo(cost_report_text(report, snapshot.project, max(80, min(WIDEST, shutil.get_terminal_size().columns))))


async def _look(settings: Settings, state_dir: Path | None) -> tuple[CostReport, Snapshot]:
    from teamops.supervisor.visiting import visit

    async with visit(settings, state_dir=state_dir) as (core, snapshot):
        return await core.cost_report(), snapshot
