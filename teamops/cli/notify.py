"""``teamops notify``: whether the person can be reached."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import settings_of
from teamops.config.settings import CHANNELS, Settings
from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError, UsageError
from teamops.model.handoff import Severity
from teamops.model.page import Page, Receipt, Transition

WIDEST = 160
BODY = (
    "An alert will look like this. Texts of agents come as plain text, without sequences, tags or secrets:\n"
    "\x1b[31mnot red\x1b[0m, <b>not bold</b>, password=correct-horse"
)


@dataclass(frozen=True, slots=True)
class Tried:
    """One channel, and how it ended."""

    channel: str
    receipt: Receipt
    excused: bool
    """That it is not there is no failure: nobody asked for it by name."""

    @property
    def result(self) -> str:
        """One word for it."""
        return "delivered" if self.receipt.ok else "absent" if self.receipt.absent else "failed"

    @property
    def well(self) -> bool:
        """It is no failure."""
        return self.receipt.ok or (self.receipt.absent and self.excused)


@click.group()
def notify() -> None:
    """Prove that notifications reach you."""


@notify.command()
@click.option("--channel", "only", metavar="NAME", help=f"Try this channel alone: {', '.join(CHANNELS)}.")
@click.option("--json", "as_json", is_flag=True, help="Print teamops.notify/1.")
@project_option
@state_option
def test(root: Path | None, state_dir: Path | None, *, only: str | None, as_json: bool) -> int:
    """Send one notification by every configured channel, in their order, and say how each ended.

    Exits with 0 when it was delivered, and 1 when a channel failed or none delivered it. A desktop or a terminal that
    is not there fails only where notify.channels names it. Needs no supervisor; one that runs learns which channels
    work again.
    """
    from teamops.cli.person import refuse_agents

    settings = settings_of(root)
    refuse_agents("teamops notify test", settings)  # each try calls the person, past quiet hours and cap
    order = _order(settings, only)
    page = _page(settings)
    tried = asyncio.run(_try(settings, order, page, named=only is not None))
    _remember(settings, state_dir, page, tried)
    ok = all(one.well for one in tried) and any(one.receipt.ok for one in tried)
    click.echo(json.dumps(_json(tried, ok=ok), ensure_ascii=False, indent=2) if as_json else _text(tried))
    return EXIT_OK if ok else EXIT_FINDING


def _order(settings: Settings, only: str | None) -> tuple[str, ...]:
    order = settings.notify.order
    if only is None:
        return order
    if only not in CHANNELS:
        raise UsageError(f"there is no channel {only!r}", f"channels: {', '.join(CHANNELS)}")
    if only not in order:
        raise UsageError(
            f"the channel {only} is not in use here", f"in use: {', '.join(order) or 'none'}; see docs/notifications.md"
        )
    return (only,)


def _page(settings: Settings) -> Page:
    return Page(
        id=secrets.token_hex(8),
        transition=Transition.TRIED,
        keys=(),
        thread="notify test",
        severity=Severity.WARNING,
        project=settings.project,
        title=f"{settings.project}: teamops can reach you",
        body=BODY,
        do="",
        wall=time.time(),
    )


async def _try(settings: Settings, order: tuple[str, ...], page: Page, *, named: bool) -> list[Tried]:
    from teamops.effects.channels.registry import MAKERS, Around
    from teamops.effects.channels.trying import attempted

    tried: list[Tried] = []
    for name in order:
        channel = MAKERS[name](settings.notify, Around(terminal=sys.stderr))
        try:
            receipt = await attempted(channel, page)
        finally:
            await channel.close()
        tried.append(Tried(name, receipt, excused=not named and not settings.notify.channels))
    return tried


def _remember(settings: Settings, state_dir: Path | None, page: Page, tried: list[Tried]) -> None:
    """Let the ledger know, where there is one: nobody makes a project's ledger by trying a bell."""
    from teamops.ledger.store import open_ledger
    from teamops.supervisor.lease import state_dir_of

    path = state_dir_of(settings, state_dir) / "ledger.sqlite3"
    if not path.exists():
        return
    wall = time.time()
    try:
        ledger = open_ledger(path)
        try:
            ledger.outbox.tried(page, [(one.channel, one.receipt) for one in tried], wall)
        finally:
            ledger.close()
    except TeamopsError as error:
        click.echo(f"teamops: not remembered: {error.message}", err=True)


def _text(tried: list[Tried]) -> str:
    from teamops.report.table import table

    if not tried:
        return "nobody can be told: no channel is in use\n  → see notify.channels in docs/notifications.md"
    rows = [
        (one.channel, one.result, (one.receipt.ok and one.receipt.evidence) or one.receipt.message, one.receipt.hint)
        for one in tried
    ]
    width = max(80, min(WIDEST, shutil.get_terminal_size().columns))
    lines = [table(("channel", "result", "evidence"), [row[:3] for row in rows], width, give=(2,))]
    lines += [f"  → {channel}: {hint}" for channel, _, _, hint in rows if hint]
    if not any(one.receipt.ok for one in tried):
        lines.append("nobody was notified")
    return "\n".join(lines)


def _json(tried: list[Tried], *, ok: bool) -> dict[str, object]:
    return {
        "schema": "teamops.notify/1",
        "ok": ok,
        "channels": [
            {
                "channel": one.channel,
                "result": one.result,
                "ok": one.receipt.ok,
                "message": one.receipt.message,
                "evidence": one.receipt.evidence,
                "retry": one.receipt.retry,
                "do": one.receipt.hint,
            }
            for one in tried
        ],
    }
