"""``teamops up``, ``down``, ``stop``: the team's agents started and ended from a shell."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import managed_role, settings_of
from teamops.config.settings import RoleSettings, Settings
from teamops.model.actions import Outcome
from teamops.model.errors import EXIT_OK, UsageError
from teamops.model.snapshot import Intent, StartRole, StopRole

SLACK_S = 30.0
"""An act that takes longer than this over its grace hangs."""
json_option = click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
yes_option = click.option("--yes", is_flag=True, help="Don't ask.")

Row = tuple[RoleSettings, str, Outcome]
"""An agent, in one word what became of it, and how."""


@click.command()
@click.argument("roles", nargs=-1, metavar="[ROLE]...")
@json_option
@project_option
@state_option
def up(roles: tuple[str, ...], root: Path | None, state_dir: Path | None, *, as_json: bool) -> int:
    """Start the agents of ROLEs, or of the whole team, each in a tmux session of its own.

    What runs already is left as it is. An agent whose client can resume goes on with its last session.
    """
    from teamops.effects.start import how

    settings = settings_of(root)
    team = [managed_role(settings, role) for role in roles] or _team(settings)
    rows = asyncio.run(_all(settings, state_dir, [(row, StartRole(row.role)) for row in team], how, quiet=as_json))
    return _show("teamops.up/1", rows, as_json=as_json)


@click.command()
@yes_option
@json_option
@project_option
@state_option
def down(root: Path | None, state_dir: Path | None, *, yes: bool, as_json: bool) -> int:
    """Stop all agents that teamops started, in good order. What it adopted is left alone.

    One that is gone (a reboot, a tmux server that was killed) counts as stopped from then on, too.
    """
    settings = settings_of(root)
    team = _team(settings)
    ours, others = asyncio.run(_by_owner(settings, state_dir, team))
    if ours:
        confirm(f"Stop {', '.join(row.role for row in ours)}?", "down", yes=yes)
    rows = asyncio.run(_all(settings, state_dir, [(row, StopRole(row.role)) for row in ours], _stopped, quiet=as_json))
    left = Outcome(ok=True, message="left alone: teamops did not start it", hint="teamops stop ROLE ends it")
    return _show("teamops.down/1", [*rows, *((row, "left", left) for row in others)], as_json=as_json)


@click.command()
@click.argument("role")
@click.option("--grace", type=click.FloatRange(0, 3600), help="Seconds it may take to end by itself.")
@yes_option
@json_option
@project_option
@state_option
def stop(role: str, root: Path | None, state_dir: Path | None, *, grace: float | None, yes: bool, as_json: bool) -> int:
    """Stop ROLE's agent in good order, and hold it until it is started again."""
    settings = settings_of(root)
    agent = managed_role(settings, role)
    _, others = asyncio.run(_by_owner(settings, state_dir, [agent]))
    if others:
        confirm(f"teamops did not start what runs in {agent.role}'s session. End it?", "stop", yes=yes)
    wanted = [(agent, StopRole(agent.role, grace))]
    rows = asyncio.run(_all(settings, state_dir, wanted, _stopped, quiet=as_json, grace_s=grace))
    return _show("teamops.stop/1", rows, as_json=as_json)


def _team(settings: Settings) -> list[RoleSettings]:
    if settings.watch_only or not settings.roles:
        raise UsageError("there is no team here: no teamops.toml names one", "set one up: teamops init")
    return list(settings.roles)


def confirm(question: str, verb: str, *, yes: bool) -> None:
    """Ask before an act; raise ``UsageError`` where there is no terminal to answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{verb} asks before it acts, and there is no terminal to answer", "say it with --yes")
    click.confirm(question, abort=True, err=True)


def _stopped(outcome: Outcome) -> str:
    return "stopped" if outcome.ok else "failed"


async def _by_owner(
    settings: Settings, state_dir: Path | None, team: Sequence[RoleSettings]
) -> tuple[list[RoleSettings], list[RoleSettings]]:
    """Return the agents that teamops started, dead ones and lost ones too, and those that run without its doing."""
    from teamops.effects.stop import is_started
    from teamops.supervisor.visiting import visit

    ours: list[RoleSettings] = []
    others: list[RoleSettings] = []
    async with visit(settings, state_dir=state_dir) as (core, _):
        for row in team:
            page = core.book.agent(row.role)
            if page.pane is None or core.server is None:
                ours += [row] if page.left_running else []  # nobody stopped it: that it is gone is as it should be now
                continue
            launch = core.restarter.facts.launch_of(row.role)
            started = await is_started(core.server, page.pane, launch)
            (ours if started else others).append(row)
    return ours, others


async def _all(
    settings: Settings,
    state_dir: Path | None,
    wanted: Sequence[tuple[RoleSettings, Intent]],
    word: Callable[[Outcome], str],
    *,
    quiet: bool,
    grace_s: float | None = None,
) -> list[Row]:
    """Do all of it at once and say each as it ends; return it in the order of the team."""
    from teamops.supervisor.visiting import visit

    if not wanted:
        return []
    grace = settings.stop_grace_s if grace_s is None else grace_s
    limit = SLACK_S + grace
    stops = isinstance(wanted[0][1], StopRole)
    doing = f"stopping (killed if that takes more than {grace:g} s)" if stops else "starting"
    async with visit(settings, state_dir=state_dir) as (core, _):

        async def one(row: RoleSettings, intent: Intent) -> Row:
            if not quiet:
                click.echo(f"{row.role}: {doing}", err=True)
            try:
                outcome = await asyncio.wait_for(core.wish(intent), limit)
            except TimeoutError:
                hint = "is the tmux server well?"
                outcome = Outcome(ok=False, message=f"no outcome within {limit:.0f} s", hint=hint)
            if not quiet:
                click.echo(f"{row.role}: {word(outcome)}", err=True)
            return row, word(outcome), outcome

        rows = await asyncio.gather(*(one(row, intent) for row, intent in wanted))
        await asyncio.sleep(0)
        return list(rows)


def _show(schema: str, rows: Sequence[Row], *, as_json: bool) -> int:
    """Print what became of each; return 1 where one failed."""
    if as_json:
        agents = [
            {
                "role": str(row.role),
                "session": row.session,
                "result": word,
                "ok": outcome.ok,
                "message": outcome.message,
                "do": outcome.hint,
                "evidence": outcome.evidence,
            }
            for row, word, outcome in rows
        ]
        click.echo(json.dumps({"schema": schema, "agents": agents}, ensure_ascii=False))
    elif not rows:
        click.echo("nothing runs that teamops started")
    else:
        from teamops.report.table import table

        lines = [
            (row.role, word, outcome.message + (f" ({outcome.hint})" if outcome.hint else ""))
            for row, word, outcome in rows
        ]
        click.echo(table(("role", "result", "how"), lines))
    return EXIT_OK if all(outcome.ok for _, _, outcome in rows) else 1
