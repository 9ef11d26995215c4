"""``teamops service``: the system starts ``teamops watch``, and starts it again when it dies or hangs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import settings_of
from teamops.cli.team import confirm
from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError, UsageError
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.effects.service import Unit

dry_option = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
yes_option = click.option("--yes", is_flag=True, help="Don't ask.")


@click.group()
def service() -> None:
    """Let the person's own systemd run `teamops watch` on this project, and watch over it."""


@service.command()
@dry_option
@yes_option
@project_option
@state_option
def install(root: Path | None, state_dir: Path | None, *, dry_run: bool, yes: bool) -> int:
    """Write the unit, enable it and start it; it is shown first, and asked about."""
    from teamops.effects import service as systemd

    settings = settings_of(root)
    if settings.watch_only and not settings.handoff.exists():
        raise UsageError(f"there is no project in {settings.root}", "name it with -C, or set one up: teamops init")
    unit = _unit(settings, state_dir)
    if dry_run:
        click.echo(f"# {unit.path}\n{unit.text}", nl=False)
        click.echo(f"# then: systemctl --user daemon-reload; systemctl --user enable --now {unit.name}")
        return EXIT_OK
    systemd.must_be_systemd()
    systemd.must_be_ours(unit)
    there = unit.installed
    if there != unit.text:
        click.echo(f"{unit.path}{' is made anew' if there is not None else ''}:\n\n{unit.text}")
        confirm("Write it, and start it now?", "service install", yes=yes)
        systemd.write(unit)
    else:
        click.echo(f"{unit.path} is there already")
    _must(unit, "daemon-reload")
    _must(unit, "enable", "--now", unit.name)
    if there not in {None, unit.text}:
        _must(unit, "restart", unit.name)
    click.echo(f"✓ {unit.name} runs, and starts with your session; see: teamops service status")
    if not systemd.lingers(os.environ):
        click.echo("  → to let it run while you are logged out, too: loginctl enable-linger")
    return EXIT_OK


@service.command()
@dry_option
@yes_option
@project_option
@state_option
def uninstall(root: Path | None, state_dir: Path | None, *, dry_run: bool, yes: bool) -> int:
    """Stop the service and remove its unit. The agents keep running."""
    from teamops.effects import service as systemd

    unit = _unit(settings_of(root), state_dir)
    if dry_run:
        click.echo(f"systemctl --user disable --now {unit.name}; rm {unit.path}; systemctl --user daemon-reload")
        return EXIT_OK
    systemd.must_be_ours(unit)
    if unit.installed is None:
        click.echo(f"{unit.name} is not installed")
        return EXIT_OK
    systemd.must_be_systemd()
    confirm(f"Stop {unit.name} and remove {unit.path}?", "service uninstall", yes=yes)
    _must(unit, "disable", "--now", unit.name)
    systemd.remove(unit)
    _must(unit, "daemon-reload")
    click.echo(f"✓ {unit.name} is removed; the agents keep running")
    return EXIT_OK


@service.command()
@click.option("--json", "as_json", is_flag=True, help="Print teamops.service/1.")
@project_option
@state_option
def status(root: Path | None, state_dir: Path | None, *, as_json: bool) -> int:
    """Say whether the service is installed, runs, and is the one that acts. Ends with 1 where it doesn't run."""
    import time

    from teamops.effects import service as systemd
    from teamops.supervisor.lease import Lease, state_dir_of

    settings = settings_of(root)
    unit = _unit(settings, state_dir)
    there = unit.installed
    known = systemd.properties(unit)
    holder = Lease(state_dir_of(settings, state_dir)).holder()
    runs = known.get("ActiveState") == "active"
    told = {
        "schema": "teamops.service/1",
        "unit": unit.name,
        "path": str(unit.path),
        "installed": there is not None,
        "as_now": there == unit.text,
        "enabled": known.get("UnitFileState") == "enabled",
        "active": known.get("ActiveState") or None,
        "pid": int(known.get("MainPID") or 0) or None,
        "restarts": int(known.get("NRestarts") or 0),
        "says": clean_line(known.get("StatusText", "")) or None,
        "acts": holder is not None and str(holder.pid) == known.get("MainPID"),
        "round_age_s": None if holder is None else holder.round_age(time.monotonic()),
    }
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        click.echo(_words(told, None if holder is None else holder.pid))
    return EXIT_OK if runs else EXIT_FINDING


def _words(told: dict[str, object], acting: int | None) -> str:
    lines = [f"{told['unit']}: {'installed' if told['installed'] else 'not installed (teamops service install)'}"]
    if told["installed"] and not told["as_now"]:
        lines.append("  ! it differs from what teamops would write now → teamops service install")
    if told["installed"]:
        state = told["active"] or "not known: systemd can't be asked"
        enabled = ", starts with your session" if told["enabled"] else ""
        says = f": {told['says']}" if told["says"] else ""
        lines.append(f"  {state}{enabled}, started again {told['restarts']} times{says}")
    if acting is None:
        lines.append("  ✗ no supervisor acts on this project")
    elif told["acts"]:
        lines.append(f"  ✓ it acts on this project (pid {acting})")
    else:
        lines.append(f"  another supervisor acts on this project (pid {acting}); the service takes over when that ends")
    return "\n".join(lines)


def _unit(settings: Settings, state_dir: Path | None) -> Unit:
    from teamops.effects.service import unit_of
    from teamops.supervisor.lease import state_dir_of

    return unit_of(settings.root, settings.project, state_dir_of(settings, state_dir), state_dir, os.environ)


def _must(unit: Unit, *words: str) -> None:
    from teamops.effects.service import systemctl

    code, said = systemctl(*words)
    if code:
        raise TeamopsError(
            f"systemctl --user {' '.join(words)} failed: {said}",
            f"the unit is {unit.path}; is your user's systemd running (systemctl --user status)?",
        )
