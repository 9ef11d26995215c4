"""``teamops ledger``: what is remembered of this project, how much of it, and whether it is sound."""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.output_file import writing
from teamops.cli.place import settings_of
from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError, UsageError
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.ledger.export import Export

WIDEST = 160
_LOOK_S = 0.5
_SAY_S = 0.2


@click.group()
def ledger() -> None:
    """Show, export, tidy and prove what is remembered of this project."""


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="Print teamops.ledger-stats/1.")
@project_option
@state_option
def stats(root: Path | None, state_dir: Path | None, *, as_json: bool) -> None:
    """Say how large the ledger is, of what, how fast it grows, and how long what is kept."""
    from teamops.ledger.stats import stats as read
    from teamops.report.ledger import stats_json, stats_text

    settings = settings_of(root)
    path = _path(settings, state_dir)
    now = time.time()
    found = read(path, now)
    if found is None:
        raise _nothing(path)
    if as_json:
        click.echo(json.dumps(stats_json(found, settings.retention), ensure_ascii=False, indent=2))
    else:
        click.echo(stats_text(found, settings.retention, now, _width()))


@ledger.command()
@click.option("--format", "kind", type=click.Choice(["jsonl", "csv"]), default="jsonl", help="jsonl (default) or csv.")
@click.option("--table", "tables", multiple=True, help="Only this table; may be given again. csv wants one.")
@click.option("--since", default=None, help="Only from then on: 2026-03-28, 2026-03-28T14:30, or so long ago: 7d, 12h.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=None, help="A file; it is whole, or not there."
)
@project_option
@state_option
def export(
    kind: str,
    tables: tuple[str, ...],
    since: str | None,
    output: Path | None,
    root: Path | None,
    state_dir: Path | None,
) -> None:
    """Print all that is remembered, as of one moment: one JSON object per line, the first says what follows.

    Rows that have no moment are told whatever --since says.
    """
    from teamops.ledger.export import exporting
    from teamops.ledger.tables import TABLES

    known = {table.name for table in TABLES}
    for name in tables:
        if name not in known:
            raise UsageError(f'there is no table "{clean_line(name, 60)}"', f"tables: {', '.join(sorted(known))}")
    if kind == "csv" and len(set(tables)) != 1:
        raise UsageError("a csv file holds one table", "name it: --table light")
    settings = settings_of(root)
    path, now = _path(settings, state_dir), time.time()
    since_wall = None if since is None else _since(since, now)
    with exporting(path, tables, since_wall) as found:
        if found is None:
            raise _nothing(path)
        if output is not None and output.resolve().parent == path.parent.resolve():
            raise UsageError("the ledger's own folder is no place for an export", "name another folder")
        with writing(output) as stream:
            if kind == "csv":
                _write_csv(found, stream)
            else:
                _write_lines(found, stream, settings.project, now, since_wall)


def _write_lines(found: Export, stream: TextIO, project: str, now: float, since_wall: float | None) -> None:
    from teamops.report.ledger import export_head

    stream.write(json.dumps(export_head(found, project, now, since_wall)) + "\n")
    for table in found.tables:
        stream.writelines(json.dumps({"table": table.name, **row}) + "\n" for row in found.rows(table))


def _write_csv(found: Export, stream: TextIO) -> None:
    import csv

    [table] = found.tables
    writer = csv.DictWriter(stream, list(found.columns(table)), lineterminator="\n")
    writer.writeheader()
    safe = stream.isatty()  # a file gets what was said, a terminal what it can show without harm
    for row in found.rows(table):
        writer.writerow(
            {key: clean_line(value) if safe and isinstance(value, str) else value for key, value in row.items()}
        )


@ledger.command()
@click.option("--wait", default=0.0, type=click.FloatRange(0), help="Wait so many seconds for a supervisor to end.")
@click.option("--json", "as_json", is_flag=True, help="Print teamops.ledger-vacuum/1.")
@project_option
@state_option
def vacuum(wait: float, root: Path | None, state_dir: Path | None, *, as_json: bool) -> None:
    """Write the ledger anew without its free pages, while no supervisor acts on this project.

    The file as it was is kept beside it until the new one is proven.
    """
    from teamops.ledger.vacuum import vacuum as write_anew
    from teamops.report.ledger import size
    from teamops.supervisor.lease import Lease

    path = _path(settings_of(root), state_dir)
    if not path.exists():
        raise _nothing(path)
    lease = Lease(path.parent)
    deadline = time.monotonic() + wait
    while not lease.acquire(time.time()):
        holder = lease.holder()
        if time.monotonic() >= deadline:
            who = f"pid {holder.pid}" if holder is not None else "another process"
            raise TeamopsError(
                f"a supervisor acts on this project ({who}), and writes to the ledger",
                "end it first (q in its screen, or its service), or wait for its end with --wait 600",
            )
        time.sleep(_LOOK_S)
    try:
        done = write_anew(path, _Progress())
    finally:
        lease.release()
    if as_json:
        told = {"before_bytes": done.before_bytes, "after_bytes": done.after_bytes}
        click.echo(json.dumps({"schema": "teamops.ledger-vacuum/1", **told}))
    else:
        freed = done.before_bytes - done.after_bytes
        click.echo(
            f"{size(done.before_bytes)} → {size(done.after_bytes)}, {size(max(0, freed))} freed; the ledger is sound"
        )


class _Progress:
    """Says on a terminal what is done, over and over on one line."""

    def __init__(self) -> None:
        self._said = 0.0

    def __call__(self, what: str, part: float) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() and (now - self._said >= _SAY_S or part >= 1):
            self._said = now
            sys.stderr.write(f"\r\033[K{what} {part:4.0%}" + ("\r\033[K" if part >= 1 else ""))
            sys.stderr.flush()


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="Print teamops.ledger-verify/1.")
@project_option
@state_option
def verify(root: Path | None, state_dir: Path | None, *, as_json: bool) -> int:
    """Prove that the ledger is sound: its file, its sums, its moments. Nothing is left written.

    Ends with 1 where something is found, and says what to do.
    """
    from teamops.ledger.verify import verify as look
    from teamops.report.ledger import verify_json, verify_text

    path = _path(settings_of(root), state_dir)
    found = look(path, time.time())
    if as_json:
        click.echo(json.dumps(verify_json(found), ensure_ascii=False, indent=2))
    else:
        click.echo(verify_text(found, str(path), _width()))
    return EXIT_FINDING if found.faults else EXIT_OK


def _path(settings: Settings, state_dir: Path | None) -> Path:
    from teamops.supervisor.lease import state_dir_of

    return state_dir_of(settings, state_dir) / "ledger.sqlite3"


def _nothing(path: Path) -> TeamopsError:
    return TeamopsError(
        f"there is no ledger yet: {path}", "it begins with the first supervisor: teamops, or teamops watch"
    )


def _width() -> int:
    return max(80, min(WIDEST, shutil.get_terminal_size().columns))


def _since(text: str, now: float) -> float:
    """Return the moment that a person means, Unix seconds. Raises ``UsageError``."""
    import re
    from datetime import datetime

    found = re.fullmatch(r"(\d{1,6})([dhm])", text.strip())
    if found is not None:
        return now - int(found[1]) * {"d": 86_400, "h": 3600, "m": 60}[found[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f'"{clean_line(text, 60)}" is no moment', "such as 2026-03-28, 2026-03-28T14:30, or so long ago: 7d, 12h"
        ) from None
