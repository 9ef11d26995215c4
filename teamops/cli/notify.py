"""``teamops notify``: whether the person can be reached."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from pathlib import Path

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import settings_of
from teamops.config.settings import Settings
from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError
from teamops.model.handoff import Severity
from teamops.model.page import Page, Receipt, Transition

Tried = list[tuple[str, Receipt]]


@click.group()
def notify() -> None:
    """Prove that notifications reach you."""


@notify.command()
@click.option("--all", "every", is_flag=True, help="Try every channel, not only until one works.")
@click.option("--json", "as_json", is_flag=True, help="Print teamops.notify/1.")
@project_option
@state_option
def test(root: Path | None, state_dir: Path | None, *, every: bool, as_json: bool) -> int:
    """Send one notification by the configured channels, in their order, and say by which way it went.

    Exits with 0 when it was delivered (with --all: by every one), and 1 when it was not. What is shown here is known
    to the supervisor: a channel that works again ends its alert.
    """
    settings = settings_of(root)
    tried = asyncio.run(_try(settings, every=every))
    _remember(settings, state_dir, tried)
    good = [(name, receipt) for name, receipt in tried if receipt.ok]
    ok = bool(good) and (not every or len(good) == len(tried))
    if as_json:
        click.echo(json.dumps(_json(tried, good, ok=ok), ensure_ascii=False))
    else:
        click.echo(_text(tried, good))
    return EXIT_OK if ok else EXIT_FINDING


def _page(settings: Settings) -> Page:
    return Page(
        id=secrets.token_hex(8),
        transition=Transition.TRIED,
        keys=(),
        thread="notify test",
        severity=Severity.WARNING,
        project=settings.project,
        title="teamops can reach you",
        body="A handoff that goes stale will look like this.",
        do="",
        wall=time.time(),
    )


async def _try(settings: Settings, *, every: bool) -> Tried:
    from teamops.effects.channels.registry import Around, channels
    from teamops.effects.channels.trying import try_in_order

    ways = channels(settings.notify, Around(terminal=sys.stderr))
    try:
        return await try_in_order(ways, _page(settings), every=every)
    finally:
        for way in ways:
            await way.close()


def _remember(settings: Settings, state_dir: Path | None, tried: Tried) -> None:
    """Let the ledger know, where there is one: nobody makes a project's ledger by trying a bell."""
    from teamops.ledger.store import open_ledger
    from teamops.supervisor.lease import state_dir_of

    path = state_dir_of(settings, state_dir) / "ledger.sqlite3"
    if not path.exists():
        return
    page, wall = _page(settings), time.time()
    try:
        ledger = open_ledger(path)
        try:
            ledger.save_alerts((), [(page, 0)])
            for name, receipt in tried:
                ledger.outbox.end(page, ledger.outbox.begin(page, name, wall), receipt, wall)
            ledger.outbox.drop(page, "tried", wall)
        finally:
            ledger.close()
    except TeamopsError as error:
        click.echo(f"teamops: not remembered: {error.message}", err=True)


def _text(tried: Tried, good: Tried) -> str:
    lines = []
    if good:
        first, receipt = good[0]
        why = "; ".join(failed.message for name, failed in tried[: [name for name, _ in tried].index(first)])
        proof = f" ({receipt.evidence})" if receipt.evidence else ""
        lines.append(f"{receipt.message}{f': {why}' if why else ''}{proof}")
        lines += [f"{name}: {again.message} ({again.evidence})" for name, again in good[1:]]
    else:
        lines.append(f"nobody was notified: {'; '.join(failed.message for _, failed in tried) or 'no channel is on'}")
    lines += [f"  → {name}: {failed.hint}" for name, failed in tried if not failed.ok and failed.hint]
    return "\n".join(lines if not good or len(tried) > 1 else lines[:1])


def _json(tried: Tried, good: Tried, *, ok: bool) -> dict[str, object]:
    shown = good[0][1] if good else Receipt(ok=False, message=_text(tried, good).splitlines()[0])
    return {
        "schema": "teamops.notify/1",
        "ok": ok,
        "message": shown.message,
        "evidence": shown.evidence,
        "channels": [
            {"channel": name, "ok": receipt.ok, "message": receipt.message, "evidence": receipt.evidence}
            for name, receipt in tried
        ],
    }
