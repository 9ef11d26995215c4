"""``teamops budget``: what was spent of each budget; spending stopped, and let go on by a person."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.person import need_person
from teamops.cli.place import managed_role, settings_of
from teamops.config.settings import Settings
from teamops.model.actions import Outcome
from teamops.model.budget import TEAM
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.snapshot import Intent, LiftBudget, StopSpendingOf

OUTCOME_S = 90.0
"""A stop interrupts, waits for a grace, and kills."""


@click.group()
def budget() -> None:
    """Show budgets, stop an agent's spending, let it spend again."""


@budget.command()
@click.option("--json", "as_json", is_flag=True, help="Print teamops.budget/1.")
@project_option
@state_option
def show(root: Path | None, state_dir: Path | None, *, as_json: bool) -> None:
    """Say what each agent and the team spent, of which limits, and who is held."""
    from teamops.report.budget import budget_json, budget_text
    from teamops.supervisor.visiting import look

    settings = settings_of(root)
    snapshot = asyncio.run(look(settings, state_dir=state_dir))
    rules = settings.budgets
    zone, day = rules.zone_name, rules.day_of(snapshot.stamp.wall)
    if as_json:
        click.echo(json.dumps(budget_json(snapshot, zone, day), ensure_ascii=False, indent=2))
    else:
        click.echo(budget_text(snapshot, zone, day))


@budget.command()
@click.argument("scope", metavar="ROLE|team")
@click.option("--day-usd", metavar="N", help="The new limit for today, in dollars: more than is spent already.")
@project_option
@state_option
def lift(scope: str, root: Path | None, state_dir: Path | None, *, day_usd: str | None) -> None:
    """Let ROLE, or the team, spend again. Only you may: it needs a terminal of your own.

    The new limit is for today; from tomorrow on the configured one counts. The agent stays as it is until you start it
    (teamops up) or poke it.
    """
    settings = settings_of(root)
    name = TEAM if scope.strip().lower() == TEAM else str(managed_role(settings, scope).role)
    amount = None if day_usd is None else _dollars(day_usd)
    need_person("teamops budget lift", settings)
    _report(asyncio.run(_wish(settings, state_dir, LiftBudget(name, amount))))


@budget.command()
@click.argument("role")
@click.option("--yes", is_flag=True, help="Don't ask.")
@project_option
@state_option
def stop(role: str, root: Path | None, state_dir: Path | None, *, yes: bool) -> None:
    """Stop ROLE's spending: its hooks refuse, pokes are refused, it is interrupted, then ended if it goes on.

    Until you lift that: teamops budget lift ROLE.
    """
    settings = settings_of(root)
    name = managed_role(settings, role).role
    if not yes:
        from teamops.cli.team import confirm

        confirm(f"Stop {name}'s spending now?", "budget stop", yes=False)
    _report(asyncio.run(_wish(settings, state_dir, StopSpendingOf(name))))


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text.strip().lstrip("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if not (amount.is_finite() and 0 < amount <= 1_000_000):
        raise UsageError("--day-usd is an amount of dollars, more than 0 and at most 1000000", "such as --day-usd 20")
    return amount


async def _wish(settings: Settings, state_dir: Path | None, intent: Intent) -> Outcome:
    from teamops.supervisor.visiting import visit

    async with visit(settings, state_dir=state_dir) as (core, _):
        try:
            return await asyncio.wait_for(core.wish(intent), OUTCOME_S)
        except TimeoutError:
            return Outcome(ok=False, message=f"no outcome within {OUTCOME_S:.0f} s", hint="see: teamops budget show")


def _report(outcome: Outcome) -> None:
    if not outcome.ok:
        raise TeamopsError(outcome.message, outcome.hint)
    click.echo(outcome.message + (f" ({outcome.hint})" if outcome.hint else ""))
