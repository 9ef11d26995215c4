"""``teamops status``: one look at the team."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import need_project, root_of, settings_of
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.role import Role
from teamops.model.snapshot import Snapshot
from teamops.report.status import status_json, status_text

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.report.agent import AgentLook

WIDEST = 160


@click.command()
@click.argument("role", required=False)
@project_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print teamops.status/1; with ROLE teamops.agent/1.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["tmux", "line"]),
    help="Print one short segment for tmux' status line, or any other.",
)
@click.option("--width", type=click.IntRange(1, 500), default=40, help="So long a segment may be (default: 40).")
@click.option("--watch", "keep", is_flag=True, help="Print again whenever something changes.")
def status(
    role: str | None,
    root: Path | None,
    state_dir: Path | None,
    form: str | None,
    width: int,
    *,
    as_json: bool,
    keep: bool,
) -> int | None:
    """Say whose turn it is, who works, and what needs you; with ROLE, all that is known of that agent.

    Of an agent: its state and all evidence, its last hour, pokes with their proof, restarts with their causes, its
    processes and its screen. With --json --watch: one JSON object per line. With --format: "● DEVELOPER 4m ⚠2 $3.10",
    from what the supervisor last knew; exits with 1 where there is none.
    """
    if form is not None:
        if role is not None or as_json or keep:
            raise UsageError("--format goes with --width, -C and --state-dir alone", "leave the others out")
        from teamops.cli.segment import show as show_segment

        return show_segment(root_of(root), state_dir, form, width)
    if role is not None and keep:
        raise UsageError(
            "ROLE and --watch contradict each other", "the screen shows an agent live: teamops, then Enter"
        )
    settings = settings_of(root)
    need_project(settings)
    if role is not None:
        show_agent(asyncio.run(_look_at(settings, Role(role.upper()), state_dir)), as_json=as_json)
        return None
    from teamops.supervisor.visiting import look, look_on

    if not keep:
        show(asyncio.run(look(settings, state_dir=state_dir)), as_json=as_json)
        return None
    last: list[object] = [None]

    def publish(snapshot: Snapshot) -> None:
        facts = (snapshot.lights and [(light.role, light.state, light.task) for light in snapshot.lights],)
        agents = [(agent.role, agent.state, agent.pid, agent.boundary) for agent in snapshot.agents]
        handoff = (len(snapshot.blocks), snapshot.findings)
        key = (facts, agents, snapshot.alerts, handoff, snapshot.cost_today_usd, snapshot.violations)
        if snapshot.ready and key != last[0]:
            last[0] = key
            if as_json:
                click.echo(json.dumps(status_json(snapshot), ensure_ascii=False))
            else:
                click.clear()
                click.echo(status_text(snapshot))

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(look_on(settings, publish, state_dir=state_dir))
    return None


def show(snapshot: Snapshot, *, as_json: bool) -> None:
    """Print a snapshot for a program or a person."""
    if as_json:
        click.echo(json.dumps(status_json(snapshot), ensure_ascii=False, indent=2))
    else:
        click.echo(status_text(snapshot))


async def _look_at(settings: Settings, role: Role, state_dir: Path | None) -> AgentLook:
    """Return one look at an agent. Raises ``UsageError`` for one that is not of the team."""
    from teamops.report.agent import AgentLook
    from teamops.supervisor.visiting import visit

    async with visit(settings, state_dir=state_dir) as (core, snapshot):
        report = await core.agent_report(role)
        agent = next(one for one in snapshot.agents if one.role == role)
        screen, trouble = None, "there is no pane: its session does not run"
        if agent.pane_id is not None and core.server is not None:
            try:
                screen, trouble = await core.server.capture(agent.pane_id), ""
            except TeamopsError as error:
                trouble = str(error)
        return AgentLook(snapshot=snapshot, agent=agent, report=report, screen=screen, screen_trouble=trouble)


def show_agent(look: AgentLook, *, as_json: bool) -> None:
    """Print a look at an agent for a program or a person."""
    from teamops.report.agent import agent_report_json, agent_report_text

    if as_json:
        click.echo(json.dumps(agent_report_json(look), ensure_ascii=False, indent=2))
    else:
        width = max(80, min(WIDEST, shutil.get_terminal_size().columns))
        click.echo(agent_report_text(look, width))
