"""``teamops guard violations, diff, accept, quarantine, restore``: what got past a boundary, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.person import need_person
from teamops.cli.place import settings_of
from teamops.model.boundary import ViolationState, undo_rank
from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError
from teamops.model.snapshot import SettleViolation
from teamops.model.text import clean

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.ledger.store import Ledger
    from teamops.model.actions import Outcome

OUTCOME_S = 30.0
DAY_S = 24 * 3600.0
MOST = 1000


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also those that were settled more than a day ago.")
@click.option("--json", "as_json", is_flag=True, help="Print teamops.violations/1.")
@project_option
@state_option
def violations(root: Path | None, state_dir: Path | None, *, everything: bool, as_json: bool) -> int:
    """List the changes that none of those who could have made them may make. Ends with 1 where one is open."""
    from teamops.report.violations import violations_json, violations_text

    settings = settings_of(root)
    ledger = _ledger(settings, state_dir)
    found = []
    if ledger is not None:
        with closing(ledger):
            found = ledger.boundaries.violations(0.0 if everything else time.time() - DAY_S, MOST)
    click.echo(json.dumps(violations_json(found), ensure_ascii=False, indent=2) if as_json else violations_text(found))
    return EXIT_FINDING if any(one.state is ViolationState.OPEN for one in found) else EXIT_OK


@click.command()
@click.argument("violation", type=int, metavar="ID")
@project_option
@state_option
def diff(violation: int, root: Path | None, state_dir: Path | None) -> None:
    """Show what a change did: before against after."""
    from teamops.effects.patches import FOLDER
    from teamops.supervisor.lease import state_dir_of

    settings = settings_of(root)
    ledger = _ledger(settings, state_dir)
    name = ""
    if ledger is not None:
        with closing(ledger):
            name = ledger.boundaries.patch_of(violation)
    if not name:
        raise TeamopsError(f"of violation {violation} no change is kept", "see: teamops guard violations --all")
    path = state_dir_of(settings, state_dir) / FOLDER / name
    try:
        click.echo(clean(path.read_bytes().decode("utf-8", "replace")).rstrip("\n"))
    except OSError as error:
        raise TeamopsError(
            f"{path} can't be read: {error.strerror}", "the change may still stand in the file"
        ) from error


@click.command()
@click.argument("wanted", type=int, nargs=-1, required=True, metavar="ID...")
@project_option
@state_option
def accept(wanted: tuple[int, ...], root: Path | None, state_dir: Path | None) -> None:
    """Let changes stand. Only you may: it needs a terminal of your own."""
    _settle("accept", root, state_dir, [SettleViolation(one, ViolationState.ACCEPTED) for one in wanted])


@click.command()
@click.argument("wanted", type=int, nargs=-1, required=True, metavar="ID...")
@project_option
@state_option
def quarantine(wanted: tuple[int, ...], root: Path | None, state_dir: Path | None) -> None:
    """Undo changes; each stays kept as a patch. Only you may: it needs a terminal of your own.

    A file that was changed again since is left as it is.
    """
    _settle("quarantine", root, state_dir, [SettleViolation(one, ViolationState.QUARANTINED) for one in wanted])


@click.command()
@click.argument("wanted", type=int, nargs=-1, required=True, metavar="ID...")
@click.option("--force", is_flag=True, help="Also where the file was changed since; what stands there is kept, too.")
@project_option
@state_option
def restore(wanted: tuple[int, ...], root: Path | None, state_dir: Path | None, *, force: bool) -> None:
    """Put quarantined changes back. Only you may: it needs a terminal of your own."""
    _settle("restore", root, state_dir, [SettleViolation(one, ViolationState.RESTORED, force=force) for one in wanted])


def _settle(verb: str, root: Path | None, state_dir: Path | None, wishes: list[SettleViolation]) -> None:
    settings = settings_of(root)
    need_person(f"teamops guard {verb}", settings)
    failed = None
    for outcome in asyncio.run(_wish(settings, state_dir, wishes)):
        if outcome.ok:
            click.echo(outcome.message)
        else:
            failed = failed or outcome
            click.echo(f"not done: {outcome.message}" + (f" ({outcome.hint})" if outcome.hint else ""), err=True)
    if failed is not None:
        raise TeamopsError("not everything was done", "see above")


async def _wish(settings: Settings, state_dir: Path | None, wishes: list[SettleViolation]) -> list[Outcome]:
    from teamops.model.actions import Outcome
    from teamops.supervisor.visiting import visit

    back = any(wish.to is ViolationState.RESTORED for wish in wishes)
    async with visit(settings, state_dir=state_dir) as (core, _):
        found = []
        known = {wish: core.memory.boundaries.violation(wish.violation) for wish in wishes}
        order = sorted(
            known, key=lambda wish: undo_rank(one) if (one := known[wish]) is not None else (True, 0), reverse=back
        )
        for wish in order:
            try:
                found.append(await asyncio.wait_for(core.wish(wish), OUTCOME_S))
            except TimeoutError:
                found.append(Outcome(ok=False, message=f"no outcome within {OUTCOME_S:.0f} s"))
        return found


def _ledger(settings: Settings, state_dir: Path | None) -> Ledger | None:
    """Return the project's ledger; ``None`` where there is none yet: reading makes nothing."""
    from teamops.ledger.store import open_ledger
    from teamops.supervisor.lease import state_dir_of

    path = state_dir_of(settings, state_dir) / "ledger.sqlite3"
    return open_ledger(path) if path.exists() else None
