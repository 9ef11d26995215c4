"""``teamops notify``: whether the person can be reached."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import click

from teamops.cli.options import project_option
from teamops.cli.place import settings_of
from teamops.config.settings import NotifySettings
from teamops.model.actions import By, Notify, Outcome
from teamops.model.errors import EXIT_FINDING, EXIT_OK


@click.group()
def notify() -> None:
    """Prove that notifications reach you."""


@notify.command()
@project_option
@click.option("--json", "as_json", is_flag=True, help="Print teamops.notify/1.")
def test(root: Path | None, *, as_json: bool) -> int:
    """Send one notification and say by which way it went.

    Exits with 0 when it was shown or the terminal rung, and 1 when nobody was told.
    """
    outcome = asyncio.run(_send(settings_of(root).notify))
    if as_json:
        answer = {
            "schema": "teamops.notify/1",
            "ok": outcome.ok,
            "message": outcome.message,
            "evidence": outcome.evidence,
        }
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo(outcome.message + (f" ({outcome.evidence})" if outcome.evidence else ""))
        if not outcome.ok:
            click.echo(f"  → {outcome.hint}")
    return EXIT_OK if outcome.ok else EXIT_FINDING


async def _send(settings: NotifySettings) -> Outcome:
    from teamops.effects.notify import Notifier

    notifier = Notifier(settings, sys.stderr)
    action = Notify(
        title="teamops can reach you",
        body="A handoff that goes stale will look like this.",
        critical=False,
        by=By.PERSON,
        reason="notify test",
    )
    try:
        return await notifier.send(action)
    finally:
        await notifier.close()
