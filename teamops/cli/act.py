"""``teamops restart``, ``attach``: what the keys do, from a shell."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import managed_role, settings_of
from teamops.config.settings import Settings
from teamops.model.actions import Outcome
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.role import Role
from teamops.model.snapshot import RestartRole

OUTCOME_S = 30.0
"""An act that takes longer hangs: a restart gives its agent some seconds to end, all else is quick."""


@click.command()
@click.argument("role")
@click.option("--yes", is_flag=True, help="Don't ask.")
@project_option
@state_option
def restart(role: str, root: Path | None, state_dir: Path | None, *, yes: bool) -> None:
    """Start ROLE's agent (again) in its own pane. What runs there now is ended."""
    settings = settings_of(root)
    name = managed_role(settings, role).role
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("restart asks before it acts, and there is no terminal to answer", "say it with --yes")
        click.confirm(f"End what runs in {name}'s session and start it again?", abort=True)
    _report(asyncio.run(_restart(settings, state_dir, name)))


@click.command()
@click.argument("role")
@project_option
def attach(role: str, root: Path | None) -> None:
    """Go to ROLE's tmux session, or switch to it inside tmux."""
    from teamops.cli.leaving import Leaving
    from teamops.cli.screen import run_attach
    from teamops.tmux.attach import attach_plan
    from teamops.tmux.socket import Socket

    settings = settings_of(root)
    agent = managed_role(settings, role)
    plan = attach_plan(Socket(settings.tmux.socket_name, settings.tmux.socket_path), agent.session, os.environ)
    click.echo(plan.back, err=True)
    with Leaving() as leaving:
        run_attach(plan, leaving)


async def _restart(settings: Settings, state_dir: Path | None, role: Role) -> Outcome:
    from teamops.supervisor.visiting import visit

    async with visit(settings, state_dir=state_dir) as (core, _):
        try:
            return await asyncio.wait_for(core.wish(RestartRole(role)), OUTCOME_S)
        except TimeoutError:
            return Outcome(ok=False, message=f"no outcome within {OUTCOME_S:.0f} s", hint="is the tmux server well?")


def _report(outcome: Outcome) -> None:
    if not outcome.ok:
        raise TeamopsError(outcome.message, outcome.hint)
    click.echo(outcome.message + (f" ({outcome.evidence})" if outcome.evidence else ""))
