"""``teamops handoff accept`` and ``rotate``: what keeps the handoff file true and short."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.person import ask, need_person
from teamops.cli.place import need_file, settings_of
from teamops.model.errors import EXIT_FINDING, EXIT_OK, UsageError
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.model.actions import Outcome
    from teamops.model.protocol import ProtocolFinding

OUTCOME_S = 30.0


@click.command()
@click.argument("number", metavar="[ID]", type=int, required=False)
@click.option("--all", "everything", is_flag=True, help="Go through all of them.")
@project_option
@state_option
def accept(number: int | None, root: Path | None, state_dir: Path | None, *, everything: bool) -> int:
    """Accept that a block was rewritten, taken out or put in between, after seeing what changed.

    Without ID: lists them. Needs a terminal of your own; only y accepts.
    """
    settings = settings_of(root)
    if number is not None and everything:
        raise UsageError("ID and --all contradict each other", "give one of them")
    need_file(settings.handoff)
    if number is None and not everything:
        return _list(asyncio.run(_look(settings, state_dir)))
    need_person("teamops handoff accept", settings)
    found = asyncio.run(_look(settings, state_dir))
    chosen = [one for one in found if everything or one.finding.tamper == number]
    if not chosen:
        if everything:
            click.echo("nothing waits to be accepted")
            return EXIT_OK
        known = ", ".join(str(one.finding.tamper) for one in found) or "there is none"
        raise UsageError(f"no change {number} waits to be accepted", f"those that do: {known}")
    taken = []
    for one in chosen:
        click.echo(_line(one.finding))
        click.echo("\n".join(one.diff) + "\n")
        if ask("Accept it? y accepts, anything else leaves it: ").lower() == "y":
            taken.append(one.finding.tamper)
    outcomes = asyncio.run(_accept(settings, state_dir, [one for one in taken if one is not None]))
    for outcome in outcomes:
        click.echo(outcome.message + ("" if outcome.ok or not outcome.hint else f"\n  → {outcome.hint}"))
    click.echo(f"{sum(outcome.ok for outcome in outcomes)} of {len(chosen)} accepted")
    return EXIT_OK if all(outcome.ok for outcome in outcomes) else EXIT_FINDING


@dataclass(frozen=True, slots=True)
class _Change:
    finding: ProtocolFinding
    diff: tuple[str, ...]


async def _look(settings: Settings, state_dir: Path | None) -> list[_Change]:
    from teamops.supervisor.visiting import visit

    async with visit(settings, state_dir=state_dir) as (core, snapshot):
        return [
            _Change(finding, core.tamper_diff(finding.tamper))
            for finding in snapshot.findings
            if finding.tamper is not None
        ]


async def _accept(settings: Settings, state_dir: Path | None, numbers: list[int]) -> list[Outcome]:
    from teamops.model.snapshot import AcceptTamper
    from teamops.supervisor.visiting import visit

    if not numbers:
        return []
    async with visit(settings, state_dir=state_dir) as (core, _):
        return [await asyncio.wait_for(core.wish(AcceptTamper(number)), OUTCOME_S) for number in numbers]


def _list(found: list[_Change]) -> int:
    for one in found:
        click.echo(_line(one.finding))
    click.echo("see and accept one: teamops handoff accept ID" if found else "nothing waits to be accepted")
    return EXIT_OK


def _line(finding: ProtocolFinding) -> str:
    return f"{finding.tamper}  line {finding.line}  {finding.code}: {clean_line(finding.message)}"
