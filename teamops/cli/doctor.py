"""``teamops doctor``: proves that what holds the agents holds, today and with these clients."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import root_of
from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError, UsageError
from teamops.model.role import Role, role_of
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from teamops.config.settings import RoleSettings, Settings
    from teamops.effects.canary_clients import Versions
    from teamops.model.check import Check

WIDEST = 120


@click.command()
@click.option("--role", "only", multiple=True, help="Try this role's boundary alone; may be given again.")
@click.option("--quick", is_flag=True, help="What each start tries; in a second, and without the clients' versions.")
@click.option("--json", "as_json", is_flag=True, help="Print teamops.doctor/1.")
@project_option
@state_option
def doctor(only: tuple[str, ...], root: Path | None, state_dir: Path | None, *, quick: bool, as_json: bool) -> int:
    """Prove that each role's boundary holds on this machine, with these clients.

    For each role a forbidden and an allowed write is tried through each layer, by the way of a start; nothing stays
    behind. Beside it: what teamops stands on. Ends with 1 where something is BROKEN.
    """
    from teamops.config.load import check
    from teamops.domain.canary import broken
    from teamops.effects import machine
    from teamops.effects.confine import CONFINED, means
    from teamops.report.doctor import doctor_json, doctor_text
    from teamops.supervisor.lease import state_dir_of

    inside = os.environ.get(CONFINED)
    if inside:
        why = f"this is inside {clean_line(inside, 40)}'s boundary, from which no other can be tried"
        raise UsageError(why, "call it in a terminal of your own")
    folder = root_of(root)
    checked = check(folder, thorough=True)
    own = [machine.configuration(folder, checked.problems, refused=checked.settings is None)]
    found: dict[Role, tuple[Check, ...]] = {}
    settings = checked.settings
    versions: Versions = {}
    if settings is not None:
        team = _team(settings, only)
        state = state_dir_of(settings, state_dir)
        if not only:
            own += machine.look(settings, state, means(), versions, quick=quick)
        found = _try(settings, team, state, versions, quick=quick)
        own += _keep(state, found)
    if as_json:
        name = settings.project if settings is not None else folder.name
        click.echo(json.dumps(doctor_json(own, found, project=name, quick=quick), ensure_ascii=False, indent=2))
    else:
        width = max(80, min(WIDEST, shutil.get_terminal_size().columns))
        click.echo(doctor_text(own, found, width, quick=quick))
    wrong = broken([*own, *(check for checks in found.values() for check in checks)])
    return EXIT_FINDING if wrong else EXIT_OK


def _team(settings: Settings, only: tuple[str, ...]) -> list[RoleSettings]:
    wanted = [role_of(name) for name in only]
    unknown = next((name for name, role in zip(only, wanted, strict=True) if settings.role(role) is None), None)
    if unknown is not None:
        known = ", ".join(row.role for row in settings.roles) or "none: there is no teamops.toml here"
        raise UsageError(f'"{clean_line(unknown, 60)}" is no role of this team', f"roles: {known}")
    return [row for row in settings.roles if not wanted or row.role in wanted]


def _try(
    settings: Settings, team: Sequence[RoleSettings], state: Path, versions: Versions, *, quick: bool
) -> dict[Role, tuple[Check, ...]]:
    """Try the boundaries, and say on a terminal how far it is."""
    from teamops.effects.commit_trial import git_commit
    from teamops.effects.doctor import examine
    from teamops.supervisor.audit_trial import audit

    layers = () if quick else (audit, git_commit)
    done: list[Role] = []
    shown = sys.stderr.isatty()

    def tell(role: Role, _checks: object) -> None:
        done.append(role)
        if shown:
            left = [row.role for row in team if row.role not in done]
            waits = f", left: {', '.join(left)}" if left else ""
            click.echo(f"\r\x1b[K{len(done)} of {len(team)} roles tried{waits}"[:200], nl=False, err=True)

    if shown and team:
        click.echo(f"trying the boundaries of {len(team)} roles…", nl=False, err=True)
    try:
        found = examine(settings, team, state, quick=quick, layers=layers, tell=tell, versions=versions)
    finally:
        if shown and team:
            click.echo("\r\x1b[K", nl=False, err=True)
    return found


def _keep(state: Path, found: Mapping[Role, tuple[Check, ...]]) -> list[Check]:
    """Let the supervisor know what came of it; return what is to be said of the ledger."""
    from teamops.domain.machine import broken
    from teamops.supervisor.proving import keep

    try:
        keep(state, found)
    except TeamopsError as error:
        return [broken("ledger", error.message, error.hint or "see docs/architecture.md")]
    return []
