"""``teamops alerts``: what needs the person, and what they say to it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.person import need_person
from teamops.cli.place import need_project, settings_of
from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError, UsageError
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.model.alert import Alert

SPANS: dict[str, float | None] = {"15m": 900.0, "1h": 3600.0, "until-resolved": None}


@click.group(invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Also those that are hidden behind their cause, and past ones.")
@click.option("--codes", is_flag=True, help="List every alert there is: what it means, what shows it, what to do.")
@click.option("--json", "as_json", is_flag=True, help="Print teamops.alerts/1.")
@project_option
@state_option
@click.pass_context
def alerts(
    ctx: click.Context, root: Path | None, state_dir: Path | None, *, every: bool, codes: bool, as_json: bool
) -> int:
    """List what needs you, the worst first; acknowledge or silence it.

    Exits with 1 when something fires that nobody has acknowledged, or when the ledger can't be written.
    """
    ctx.obj = (root, state_dir)
    if ctx.invoked_subcommand is not None:
        return EXIT_OK
    from teamops.report import alerts as report
    from teamops.supervisor.visiting import look

    settings = settings_of(root)
    if codes:
        rules = tuple(settings.alert_rules.values())
        click.echo(json.dumps(report.codes_json(rules), ensure_ascii=False) if as_json else report.codes_text(rules))
        return EXIT_OK
    need_project(settings)
    snapshot = asyncio.run(look(settings, state_dir=state_dir))
    chosen = report.chosen(snapshot.alerts, every=every)
    if as_json:
        click.echo(json.dumps(report.alerts_json(snapshot, chosen), ensure_ascii=False))
    else:
        click.echo(report.alerts_text(snapshot, chosen))
    calls = snapshot.supervisor.unrecorded is not None or any(alert.calling for alert in snapshot.alerts)
    return EXIT_FINDING if calls else EXIT_OK


@alerts.command()
@click.argument("code")
@click.argument("subject", required=False)
@project_option
@state_option
@click.pass_context
def ack(ctx: click.Context, code: str, subject: str | None, root: Path | None, state_dir: Path | None) -> None:
    """Acknowledge the alert CODE SUBJECT: it stays listed, quietly, until its cause is gone. Only you may."""
    from teamops.domain.alerts import acknowledge

    settings, state_dir = _place(ctx, root, state_dir)
    need_person("teamops alerts ack", settings)
    _change(settings, state_dir, code, subject, acknowledge, "acknowledged")


@alerts.command()
@click.argument("code")
@click.argument("subject", required=False)
@click.option("--for", "span", type=click.Choice([*SPANS]), default="1h", show_default=True, help="How long.")
@click.option("--end", is_flag=True, help="End its silence instead.")
@project_option
@state_option
@click.pass_context
def silence(
    ctx: click.Context,
    code: str,
    subject: str | None,
    root: Path | None,
    state_dir: Path | None,
    *,
    span: str,
    end: bool,
) -> None:
    """Let nobody be told of the alert CODE SUBJECT for a while. Only you may."""
    from teamops.domain import alerts as life

    settings, state_dir = _place(ctx, root, state_dir)
    need_person("teamops alerts silence", settings)

    def change(alert: Alert, wall: float) -> Alert:
        return life.speak(alert) if end else life.silence(alert, wall, SPANS[span])

    words = "its silence has ended" if end else f"silenced {span if SPANS[span] is None else f'for {span}'}"
    _change(settings, state_dir, code, subject, change, words)


def _place(ctx: click.Context, root: Path | None, state_dir: Path | None) -> tuple[Settings, Path | None]:
    """Return project and state folder, whether they were named before the command's name or after it."""
    above = ctx.obj or (None, None)
    settings = settings_of(root or above[0])
    need_project(settings)
    return settings, state_dir or above[1]


def _change(
    settings: Settings,
    state_dir: Path | None,
    code: str,
    subject: str | None,
    change: Callable[[Alert, float], Alert],
    words: str,
) -> None:
    """Store what ``change`` makes of an open alert; the supervisor hears of it within a second.

    Raises ``TeamopsError`` where it was over before that could be stored.
    """
    from teamops.ledger.store import open_ledger
    from teamops.supervisor.lease import state_dir_of

    path = state_dir_of(settings, state_dir) / "ledger.sqlite3"
    if not path.exists():
        raise TeamopsError("nothing is remembered of this project", "alerts begin with: teamops, or teamops watch")
    ledger = open_ledger(path)
    try:
        alert = _find(ledger.alerts(), code, subject)
        answered = change(alert, time.time())
        if not ledger.answer_alert(alert, answered):
            raise TeamopsError(f"that is over by now: {alert.message}", "see: teamops alerts")
    finally:
        ledger.close()
    click.echo(f"{words if answered != alert else 'as it was'}: {alert.message}")


def _find(known: Iterable[Alert], code: str, subject: str | None) -> Alert:
    """Return the open alert of that code and subject. Raises ``UsageError`` where there is none, or several."""
    named = [alert for alert in known if alert.code == code.strip()]
    same = [alert for alert in named if alert.open]
    found = [alert for alert in same if subject is None or alert.subject == subject]
    if len(found) == 1:
        return found[0]
    over = next((alert for alert in named if not alert.open and subject in {None, alert.subject}), None)
    if not found and over is not None:
        raise UsageError(f"that is over: {clean_line(over.message, 120)}", "see: teamops alerts")
    subjects = ", ".join(clean_line(f'"{alert.subject}"', 80) for alert in same)
    if not same:
        raise UsageError(f"no alert {clean_line(code, 60)} is open", "see: teamops alerts")
    raise UsageError(f"which {clean_line(code, 60)}?", f"name its subject: {subjects}")
