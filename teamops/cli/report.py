"""``teamops report``: what a day was like, of each agent and of the team."""

from __future__ import annotations

import asyncio
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.output_file import writing
from teamops.model.errors import UsageError
from teamops.model.role import role_of
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.model.day_report import DayReport
    from teamops.model.role import Role

_AGO = {"today": 0, "yesterday": 1}
_FORMATS = ("text", "md", "json", "html")
_BY_SUFFIX = {".md": "md", ".markdown": "md", ".json": "json", ".html": "html", ".htm": "html"}


@click.command()
@project_option
@state_option
@click.option("--date", "day", metavar="DAY", default="today", help="today, yesterday, or YYYY-MM-DD (default: today).")
@click.option("--days", type=int, default=1, help="So many days, that one the last (default: 1).")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default=None,
    help="How it is told (default: by FILE's name, else text).",
)
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Write it to FILE, which is replaced.",
)
@click.option("--role", "role", metavar="ROLE", default=None, help="Of this agent alone; the team's part stays.")
def report(
    root: Path | None,
    state_dir: Path | None,
    day: str,
    days: int,
    form: str | None,
    file: Path | None,
    role: str | None,
) -> None:
    """Say what a day was like: each agent's five answers, and what the team got done.

    Alive the whole day? Restarts, and why? Did its cost per cycle leave its baseline? Loops or cooldowns? What
    recovered by itself, and what needs you? Works without a running supervisor.
    """
    from teamops.cli.place import need_project, settings_of

    wanted = None if role is None else role_of(role)
    settings = settings_of(root)
    need_project(settings)
    found = asyncio.run(_look(settings, state_dir, day, days, wanted))
    from teamops.report.day import FORMATS

    text = FORMATS[form or (_BY_SUFFIX.get(file.suffix.lower(), "text") if file is not None else "text")](found)
    with writing(file, private=False) as stream:
        stream.write(text)
    if stream is not sys.stdout:
        click.echo(f"{file}: the report of {found.title}")


async def _look(settings: Settings, state_dir: Path | None, day: str, days: int, role: Role | None) -> DayReport:
    from teamops.domain.days import today
    from teamops.supervisor.visiting import visit

    asked = _day(day)
    async with visit(settings, state_dir=state_dir) as (core, snapshot):
        if isinstance(asked, int):  # which day that is depends on the project's timezone
            asked = today(snapshot.stamp.wall, settings.budgets.zone) - timedelta(days=asked)
        return await core.day_report(asked, days, role)


def _day(text: str) -> date | int:
    """Return the day that is meant, or how many days ago it was."""
    word = text.strip().lower()
    if word in _AGO:
        return _AGO[word]
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise UsageError(
            f'--date "{clean_line(text, 40)}" is no day', "write it as 2026-03-28, or say today or yesterday"
        ) from None
