"""``teamops poke``, ``restart``, ``attach``: what the keys do, from a shell."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import settings_of
from teamops.config.settings import RoleSettings, Settings
from teamops.model.actions import Outcome
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.role import Role, role_of
from teamops.model.snapshot import Intent, PokeRole, RestartRole

OUTCOME_S = 30.0
"""An act that takes longer hangs: a restart gives its agent some seconds to end, all else is quick."""


@click.command()
@click.argument("role")
@click.argument("text", required=False)
@project_option
@state_option
def poke(role: str, text: str | None, root: Path | None, state_dir: Path | None) -> None:
    """Type one line into ROLE's client and submit it: TEXT, or what its light asks of it."""
    settings = settings_of(root)
    name = managed(settings, role).role
    _report(asyncio.run(_act(settings, state_dir, name, text)))


@click.command()
@click.argument("role")
@click.option("--yes", is_flag=True, help="Don't ask.")
@project_option
@state_option
def restart(role: str, root: Path | None, state_dir: Path | None, *, yes: bool) -> None:
    """Start ROLE's agent (again) in its own pane. What runs there now is ended."""
    settings = settings_of(root)
    name = managed(settings, role).role
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("restart asks before it acts, and there is no terminal to answer", "say it with --yes")
        click.confirm(f"End what runs in {name}'s session and start it again?", abort=True)
    _report(asyncio.run(_act(settings, state_dir, name, None, restart=True)))


@click.command()
@click.argument("role")
@project_option
def attach(role: str, root: Path | None) -> None:
    """Go to ROLE's tmux session, or switch to it inside tmux."""
    from teamops.cli.screen import run_attach
    from teamops.tmux.attach import attach_plan
    from teamops.tmux.socket import Socket

    settings = settings_of(root)
    agent = managed(settings, role)
    plan = attach_plan(Socket(settings.tmux.socket_name, settings.tmux.socket_path), agent.session, os.environ)
    click.echo(plan.back, err=True)
    run_attach(plan)


def managed(settings: Settings, role: str) -> RoleSettings:
    """Return the settings of ``role``. Raises ``UsageError`` where the team has none of that name."""
    found = settings.role(role_of(role))
    if found is None or settings.watch_only:
        known = ", ".join(row.role for row in settings.roles) or "none: there is no teamops.toml here"
        raise UsageError(f'"{role}" is no role of this team', f"roles: {known}")
    return found


async def _act(
    settings: Settings, state_dir: Path | None, role: Role, text: str | None, *, restart: bool = False
) -> Outcome:
    from teamops.supervisor.pokes import poke_text
    from teamops.supervisor.run import visit

    async with visit(settings, state_dir=state_dir) as (core, snapshot):
        intent: Intent = RestartRole(role) if restart else PokeRole(role, text or poke_text(snapshot, role))
        try:
            return await asyncio.wait_for(core.wish(intent), OUTCOME_S)
        except TimeoutError:
            return Outcome(ok=False, message=f"no outcome within {OUTCOME_S:.0f} s", hint="is the tmux server well?")


def _report(outcome: Outcome) -> None:
    if not outcome.ok:
        raise TeamopsError(outcome.message, outcome.hint)
    click.echo(outcome.message + (f" ({outcome.evidence})" if outcome.evidence else ""))
