"""``teamops check``: one line and an exit code for cron and monitoring."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from teamops.cli.options import project_option, state_option
from teamops.model.errors import TeamopsError
from teamops.report.check import HANGS, NO_SUPERVISOR, Facts, State, check_json, check_line, head, said
from teamops.report.check import check as judge


class _Command(click.Command):
    """Wrong use is UNKNOWN: to a monitor the exit code 2 of other commands means that something is critical."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise _unknown(error.format_message()) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TeamopsError as error:
            raise _unknown(str(error)) from error
        except (click.exceptions.Exit, SystemExit, BrokenPipeError):
            raise
        except Exception as error:
            raise _unknown(f"{type(error).__name__}: {error}") from error


def _unknown(why: str) -> SystemExit:
    click.echo(head(State.UNKNOWN) + said(why))
    return SystemExit(int(State.UNKNOWN))


@click.command(cls=_Command)
@click.option("--json", "as_json", is_flag=True, help="Print teamops.check/1.")
@click.option(
    "--warn",
    multiple=True,
    metavar="CODE",
    help=f"No more than a warning: {NO_SUPERVISOR}, {HANGS}, or an alert's code. May be given again.",
)
@click.option("--acked", is_flag=True, help="Count what the person has acknowledged, too.")
@project_option
@state_option
def check(warn: tuple[str, ...], root: Path | None, state_dir: Path | None, *, as_json: bool, acked: bool) -> int:
    """Say in one line whether this team is supervised and what is wrong, for cron and monitoring.

    Exit codes are those of Nagios' plugins: 0 all well, 1 a warning, 2 an error, a critical alert or no supervisor,
    3 it can't be known, or not be said, wrong use included.
    """
    from teamops.cli.place import settings_of
    from teamops.domain.alert_rules import RULES
    from teamops.model.errors import UsageError

    known = {*RULES, NO_SUPERVISOR, HANGS}
    for code in warn:
        if code not in known:
            raise UsageError(f'"{said(code, 60)}" is no code', f"codes: {', '.join(sorted(known))}")
    settings = settings_of(root)
    if settings.watch_only and not settings.handoff.exists():
        raise UsageError(
            f"there is no {settings.handoff.name} and no teamops.toml in {settings.root}", "name a project with -C"
        )
    checked = judge(_facts(settings.project, _folder(settings, state_dir)), warn, acked=acked)
    click.echo(json.dumps(check_json(checked), ensure_ascii=False, indent=2) if as_json else check_line(checked))
    return int(checked.state)


def _folder(settings: Any, state_dir: Path | None) -> Path:
    from teamops.supervisor.lease import state_dir_of

    return state_dir_of(settings, state_dir)


def _facts(project: str, folder: Path) -> Facts:
    """Look at the lease and the ledger, and at nothing that takes long."""
    from teamops.ledger.connection import LedgerError
    from teamops.ledger.peek import alerts_at
    from teamops.supervisor.lease import Lease

    _must_be_open(folder)
    lease = Lease(folder)
    holder = lease.holder()
    unrecorded = lease.unrecorded(holder)
    trouble = ""
    if unrecorded is not None and (unrecorded.alerts is None or unrecorded.more):
        trouble = unrecorded.words
    if unrecorded is not None and unrecorded.alerts is not None:
        alerts = [alert for alert in unrecorded.alerts if alert.listed]
    else:
        try:
            alerts = [alert for alert in alerts_at(folder / "ledger.sqlite3") if alert.listed]
        except LedgerError as error:
            alerts, trouble = [], error.message
    return Facts(
        project=project,
        pid=None if holder is None else holder.pid,
        since_wall=None if holder is None else holder.since_wall,
        round_age_s=None if holder is None else holder.round_age(time.monotonic()),
        alerts=alerts,
        trouble=trouble,
    )


def _must_be_open(folder: Path) -> None:
    """Raise ``TeamopsError`` where another user's supervisor can't be seen: that nobody runs would be a guess."""
    try:
        (folder / "lease").open("rb").close()
    except FileNotFoundError:
        return
    except OSError as error:
        raise TeamopsError(
            f"{folder} can't be read: {error.strerror}", "check as the user who runs the team"
        ) from error
