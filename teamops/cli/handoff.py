"""``teamops handoff``: read and check the handoff file."""

from __future__ import annotations

import difflib
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from teamops.cli.keep import accept
from teamops.cli.options import project_option, state_option
from teamops.cli.place import near, need_file, settings_of
from teamops.cli.record import recorded
from teamops.cli.rotating import rotate
from teamops.domain.limits import Limits
from teamops.handoff import ROLES, parse
from teamops.model.errors import EXIT_FINDING, TeamopsError, UsageError
from teamops.model.handoff import Handoff, Severity, Task
from teamops.model.protocol import ProtocolFinding
from teamops.model.role import Role
from teamops.model.text import clean_line
from teamops.report.handoff import handoff_json, handoff_text, lint_json, lint_lines

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.domain.proof import Proof
    from teamops.model.spend import TaskSpend
    from teamops.report.tasks import TaskRow

file_argument = click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
task_option = click.option("--task", "name", help="Only this task.")
STDIN = Path("-")
WIDEST = 160


@click.group()
def handoff() -> None:
    """Read, check and keep the handoff file (current.md)."""


@handoff.command()
@file_argument
@project_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print teamops.handoff/1.")
@task_option
def show(file: Path | None, root: Path | None, state_dir: Path | None, name: str | None, *, as_json: bool) -> None:
    """Show the tasks and blocks of FILE.

    Without FILE: the project's handoff file. With -: standard input. Exit code 2 if the file can't be read.
    """
    book = _read(file, root, state_dir)
    read, tasks, findings = book.handoff, book.tasks, book.findings
    if name is not None:
        task = _named(tasks, name)
        read, tasks, findings = _only(read, task), (task,), book.findings_of(task)
    if as_json:
        click.echo(json.dumps(handoff_json(read, tasks, findings), ensure_ascii=False, indent=2))
        return
    click.echo(handoff_text(read, tasks, findings, _width()))
    if name is not None and findings:
        from teamops.report.handoff import findings_text

        click.echo("\n" + findings_text(book.name, findings))


@handoff.command()
@file_argument
@project_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print teamops.lint/1.")
@click.pass_context
def lint(ctx: click.Context, file: Path | None, root: Path | None, state_dir: Path | None, *, as_json: bool) -> None:
    """Say what in FILE does not follow the grammar or breaks the protocol.

    One a line: FILE:LINE:COL severity code message (hint). Without FILE: the project's handoff file, judged also by
    what its ledger knows, if it has one. With -: standard input. Exit code 1 if there is an error, 2 if the file
    can't be read.
    """
    book = _read(file, root, state_dir)
    problems, findings = book.handoff.problems, book.findings
    found = Counter([one.severity for one in problems] + [one.severity for one in findings])
    if as_json:
        click.echo(json.dumps(lint_json(book.name, problems, findings), ensure_ascii=False, indent=2))
    else:
        for line in lint_lines(book.name, problems, findings):
            click.echo(line)
        counts = ", ".join(_counted(found[severity], severity) for severity in reversed(Severity) if found[severity])
        blocks = _counted(len(book.handoff.blocks), "block")
        click.echo(f"{clean_line(book.name)}: {blocks}, {counts or 'no problems'}", err=True)
    ctx.exit(EXIT_FINDING if found[Severity.ERROR] or found[Severity.CRITICAL] else 0)


@handoff.command()
@file_argument
@project_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="Print teamops.tasks/1.")
@click.option("--all", "everything", is_flag=True, help="Closed tasks too.")
@click.option("--task", "name", help="One task's story: who wrote, when, after how long, and what.")
def tasks(
    file: Path | None, root: Path | None, state_dir: Path | None, name: str | None, *, as_json: bool, everything: bool
) -> None:
    """Say of each open task where it stands, what its way there took and cost, and what is wrong.

    Costs are what the holders of its light used while they held it, as the ledger knows. Times are those at which
    teamops saw the blocks, as its ledger has them; without it, those of the blocks' headings.
    """
    from teamops.report.tasks import tasks_json, tasks_text, timeline_text

    book = _read(file, root, state_dir, costs=True)
    chosen = book.tasks if name is None else (_named(book.tasks, name),)
    shown = [task for task in chosen if task.open or everything or name is not None]
    rows = book.rows(shown)
    if as_json:
        answer = tasks_json(rows, recorded=book.proof is not None, timeline=name is not None)
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    elif name is not None:
        click.echo(timeline_text(book.name, rows[0], _width()))
    else:
        click.echo(tasks_text(rows, len(chosen) - len(shown), _width()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The file as it was read, and what is to be said of it."""

    name: str
    """As a person knows it."""
    handoff: Handoff
    tasks: tuple[Task, ...]
    findings: tuple[ProtocolFinding, ...]
    proof: Proof | None
    """What the project's ledger knows; ``None``: there is none, it can't be read, or this is another file."""
    seen: Mapping[str, float] = field(default_factory=dict)
    """When teamops saw each block first, by digest."""
    costs: Mapping[str, TaskSpend] = field(default_factory=dict)
    """What each task cost, by its name in lower case."""

    def findings_of(self, task: Task) -> tuple[ProtocolFinding, ...]:
        """Return the findings of one task."""
        key = (task.task or "").lower()
        return tuple(one for one in self.findings if (one.task or "").lower() == key)

    def rows(self, shown: list[Task]) -> list[TaskRow]:
        """Return the tasks with their times and findings."""
        from teamops.domain import timeline
        from teamops.report.tasks import TaskRow

        blocks, now = self.handoff.blocks, time.time()
        walls = timeline.walls(blocks, self.seen)
        rows = []
        for task in shown:
            spend, findings = self.costs.get((task.task or "").lower()), self.findings_of(task)
            parts = spend.blocks if spend is not None else {}
            entries = timeline.entries(task, blocks, walls, findings)
            rows.append(
                TaskRow(
                    task=task,
                    since_wall=walls[task.since_index],
                    stages=timeline.stage_times(task, blocks, walls, now),
                    entries=tuple(replace(entry, used=parts.get(entry.index)) for entry in entries),
                    findings=findings,
                    spend=spend,
                )
            )
        return rows


def _read(file: Path | None, root: Path | None, state_dir: Path | None, *, costs: bool = False) -> Book:
    """Read the file and judge it, with the project's ledger where it is the project's file.

    ``costs``: it is asked for these, too.
    """
    settings: Settings | None
    if file is None:
        settings = settings_of(root)
        path = settings.handoff
        name = near(path)
    else:
        path = file
        settings = _settings_near(root or (Path.cwd() if file == STDIN else file.absolute().parent))
        name = "<stdin>" if file == STDIN else str(file)
    if path != STDIN and not path.absolute().is_relative_to(
        "/dev"
    ):  # where a shell gives a command's output as a file: <(…)
        need_file(path)
    try:
        data = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{clean_line(name)} can't be read: {error.strerror or error}",
            "name the file, or go to the project's folder" if file is None else "name a readable file, or - for stdin",
        ) from error
    from teamops.domain.protocol import read

    roles: tuple[Role, ...] = tuple(role.role for role in settings.roles) if settings else ()
    handoff_ = parse(data, {*ROLES, *roles})
    reading = read(handoff_.blocks, settings.limits if settings else Limits())
    proof: Proof | None = None
    seen: Mapping[str, float] = {}
    if settings is not None and path != STDIN and path.resolve() == settings.handoff.resolve():
        record = recorded(settings, state_dir)
        proof, seen = record.proof, record.seen
    if proof is not None:
        from teamops.domain.proof import proven

        reading = proven(handoff_.blocks, reading, proof)
    return Book(
        name=name,
        handoff=handoff_,
        tasks=reading.tasks,
        findings=tuple(reading.findings),
        proof=proof,
        seen=seen,
        costs=_costs(settings, state_dir, reading.tasks, handoff_) if costs and proof is not None and settings else {},
    )


def _costs(
    settings: Settings, state_dir: Path | None, tasks: tuple[Task, ...], read: Handoff
) -> Mapping[str, TaskSpend]:
    from teamops.supervisor.lease import state_dir_of
    from teamops.supervisor.task_costs import task_costs

    try:
        return task_costs(state_dir_of(settings, state_dir) / "ledger.sqlite3", settings, tasks, read.blocks)
    except TeamopsError as error:
        click.echo(f"teamops: costs are not known: {error}", err=True)
        return {}


def _settings_near(folder: Path) -> Settings | None:
    """Return the settings of the team whose teamops.toml is at or above ``folder``; ``None`` if it has errors."""
    from teamops.config.load import load

    for one in (folder, *folder.parents):
        if (one / "teamops.toml").is_file():
            try:
                return load(one)
            except TeamopsError as error:
                click.echo(f"teamops: {error.message}; the usual roles are taken", err=True)
                return None
    return load(folder) if (folder / "current.md").is_file() else None


def _width() -> int:
    """Return how wide tables may be: the terminal, within reason."""
    return max(80, min(WIDEST, shutil.get_terminal_size().columns))


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 or what in {Severity.INFO, Severity.CRITICAL} else 's'}"


def _named(found: tuple[Task, ...], name: str) -> Task:
    """Return the task ``name``. Raises ``UsageError`` with the nearest name there is."""
    for task in found:
        if (task.task or "").lower() == name.strip().lower():
            return task
    names = [task.task for task in found if task.task]
    close = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {close[0]}?" if close else f"tasks: {', '.join(names) or 'none'}"
    raise UsageError(f'there is no task "{clean_line(name, 80)}"', hint)


def _only(read: Handoff, task: Task) -> Handoff:
    """Return what belongs to ``task`` alone."""
    wanted = frozenset(task.blocks)
    blocks = tuple(block for block in read.blocks if block.index in wanted)
    lines = {line for block in blocks for line in range(block.line, block.end_line + 1)}
    problems = tuple(problem for problem in read.problems if problem.line in lines)
    return replace(read, blocks=blocks, problems=problems)


handoff.add_command(accept)
handoff.add_command(rotate)
