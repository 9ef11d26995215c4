"""``teamops usage``: what all clients used, and what it cost."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.model.errors import UsageError
from teamops.report.usage import BY, UsageReport, bar_line, usage_json, usage_text
from teamops.sources.usage_scan import UsageScan
from teamops.supervisor.lease import state_base
from teamops.usage.rates_lookup import RatesLookup

if TYPE_CHECKING:
    from teamops.ledger.usage_store import UsageStore
    from teamops.usage.price_list import PriceList

LONG = 50_000_000
"""Bytes to read of which a person is told how far it is, and prices are got ready meanwhile."""
WIDEST = 160


@click.command()
@project_option
@state_option
@click.option("--by", type=click.Choice(BY), default="day", show_default=True, help="What the rows are.")
@click.option("--since", metavar="DAY", help="From this day on, YYYY-MM-DD.")
@click.option("--until", metavar="DAY", help="Up to this day, YYYY-MM-DD, its whole length.")
@click.option(
    "--tz", "zone_name", metavar="ZONE", help="The timezone of days, as Europe/Berlin (default: the system's)."
)
@click.option("--json", "as_json", is_flag=True, help="Print teamops.usage/1.")
def usage(
    root: Path | None,
    state_dir: Path | None,
    by: str,
    since: str | None,
    until: str | None,
    zone_name: str | None,
    *,
    as_json: bool,
) -> None:
    """Say what all clients of this user used, in every project, and what it cost.

    Reads what is new in the logs of Claude Code, Codex, Gemini CLI, opencode, Amp and pi. Agents and tasks are those of
    the project at hand.
    """
    zone = _zone(zone_name)
    first, last = _day(since, "--since"), _day(until, "--until")
    if first and last and first > last:
        raise UsageError(f"--since {first} is after --until {last}", "name the earlier day first")
    ledger = state_base(state_dir) / "usage.sqlite3"
    with UsageScan(ledger) as scan, RatesLookup() as lookup:
        # Whatever takes its time is done while the logs are read.
        from teamops.cli.place import settings_of
        from teamops.cli.usage_pieces import pieces_of, team_of
        from teamops.ledger.usage_store import UsageStore
        from teamops.usage.price_list import PriceList

        settings = settings_of(root)
        _follow(scan, lookup)
        store = UsageStore(ledger)
        try:
            prices = PriceList(store.rates(), settings.prices)
            _look_up(store, prices, lookup)
            report = UsageReport(
                by=by,
                timezone=zone_name or _zone_here(),
                since=str(first or ""),
                until=str(last or ""),
                pieces=pieces_of(
                    store, prices, by, _span(first, last, zone), zone, lambda: team_of(settings, state_dir)
                ),
                skipped_lines=store.skipped_lines(),
            )
        finally:
            store.close()
    for trouble in scan.troubles:
        click.echo(f"teamops: not read: {trouble}", err=True)
    if as_json:
        click.echo(json.dumps(usage_json(report), ensure_ascii=False, indent=2))
    else:
        click.echo(usage_text(report, max(80, min(WIDEST, shutil.get_terminal_size().columns))))


def _follow(scan: UsageScan, lookup: RatesLookup) -> None:
    """Wait for the scan's end; of a long one a person sees how far it is."""
    shown = False
    for progress in scan.progress():
        if progress.waits:
            click.echo("teamops: another scan runs; waiting for it", err=True)
        elif progress.of >= LONG:
            if not progress.done:
                lookup.start()
            if sys.stderr.isatty():
                width = shutil.get_terminal_size().columns
                click.echo("\r" + bar_line(progress.done, progress.of, width), nl=False, err=True)
                shown = True
    if shown:
        click.echo("\r\x1b[K", nl=False, err=True)


def _look_up(store: UsageStore, prices: PriceList, lookup: RatesLookup) -> None:
    """Get the prices that are not known yet, and keep them."""
    missing = prices.missing(store.model_days())
    try:
        found = lookup.ask(missing)
    except (OSError, ValueError) as error:
        click.echo(f"teamops: prices can't be looked up: {error}", err=True)
        return
    store.save_rates(found)
    prices.learn(found)


def _zone(name: str | None) -> tzinfo | None:
    """Return a timezone; ``None`` is the system's own."""
    if name is None:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise UsageError(f'there is no timezone "{name[:60]}"', "name one as Europe/Berlin or UTC") from error


def _zone_here() -> str:
    """Return the name of the system's timezone."""
    named = os.environ.get("TZ", "").lstrip(":")
    return named or datetime.now().astimezone().tzname() or "local"


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text.replace("-", ""), "%Y%m%d").date()  # noqa: DTZ007 - a day, in whatever timezone
    except ValueError:
        raise UsageError(f'{option} "{text[:40]}" is no day', "write it as 2026-03-28") from None


def _span(first: date | None, last: date | None, zone: tzinfo | None) -> tuple[float, float]:
    """Return where the days begin and end, Unix seconds."""

    def begins(day: date) -> float:
        return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()

    try:
        since = begins(first) if first else -math.inf
        until = begins(last + timedelta(days=1)) if last else math.inf
    except (OverflowError, ValueError, OSError) as error:
        raise UsageError("these days are no clock's", "write days as 2026-03-28") from error
    return since, until
