"""``teamops handoff``: read and check the handoff file."""

from __future__ import annotations

import difflib
import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import click

from teamops.cli.options import project_option
from teamops.cli.place import settings_of
from teamops.domain import pipeline
from teamops.handoff import ROLES, parse
from teamops.model.errors import EXIT_FINDING, TeamopsError, UsageError
from teamops.model.handoff import Handoff, Severity, Task
from teamops.model.role import Role
from teamops.model.text import clean_line
from teamops.report.handoff import handoff_json, handoff_text, lint_lines

file_argument = click.argument("file", required=False, type=click.Path(path_type=Path, allow_dash=True))
STDIN = Path("-")


@click.group()
def handoff() -> None:
    """Read and check the handoff file (current.md)."""


@handoff.command()
@file_argument
@project_option
@click.option("--json", "as_json", is_flag=True, help="Print teamops.handoff/1.")
@click.option("--task", "name", help="Only this task.")
def show(file: Path | None, root: Path | None, name: str | None, *, as_json: bool) -> None:
    """Show the tasks and blocks of FILE.

    Without FILE: the project's handoff file. With -: standard input. Exit code 2 if the file can't be read.
    """
    _, read = _read(file, root)
    tasks = pipeline.tasks(read.blocks)
    if name is not None:
        read, tasks = _only(read, tasks, name)
    if as_json:
        click.echo(json.dumps(handoff_json(read, tasks), ensure_ascii=False, indent=2))
    else:
        click.echo(handoff_text(read, tasks))


@handoff.command()
@file_argument
@project_option
@click.pass_context
def lint(ctx: click.Context, file: Path | None, root: Path | None) -> None:
    """Say what in FILE does not follow the grammar.

    One problem a line: FILE:LINE:COL severity code message (hint). Without FILE: the project's handoff file. With -:
    standard input. Exit code 1 if there is an error, 2 if the file can't be read.
    """
    name, read = _read(file, root)
    for line in lint_lines(name, read.problems):
        click.echo(line)
    found = Counter(problem.severity for problem in read.problems)
    counts = ", ".join(_counted(found[severity], severity) for severity in reversed(Severity) if found[severity])
    click.echo(f"{clean_line(name)}: {_counted(len(read.blocks), 'block')}, {counts or 'no problems'}", err=True)
    ctx.exit(EXIT_FINDING if found[Severity.ERROR] else 0)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 or what == Severity.INFO else 's'}"


def _read(file: Path | None, root: Path | None) -> tuple[str, Handoff]:
    """Return the file's name as a person knows it, and what stands in it."""
    if file is None:
        settings = settings_of(root)
        path = settings.handoff
        roles = [role.role for role in settings.roles]
        name = _near(path)
    else:
        path = file
        roles = _roles_near(root or (Path.cwd() if file == STDIN else file.absolute().parent))
        name = "<stdin>" if file == STDIN else str(file)
    try:
        data = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{clean_line(name)} can't be read: {error.strerror or error}",
            "name the file, or go to the project's folder" if file is None else "name a readable file, or - for stdin",
        ) from error
    return name, parse(data, {*ROLES, *roles})


def _near(path: Path) -> str:
    """Return ``path`` as seen from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _roles_near(folder: Path) -> list[Role]:
    """Return the roles of the team whose teamops.toml is at or above ``folder``; none if it has errors."""
    from teamops.config.load import load

    for one in (folder, *folder.parents):
        if (one / "teamops.toml").is_file():
            try:
                return [role.role for role in load(one).roles]
            except TeamopsError as error:
                click.echo(f"teamops: {error.message}; the usual roles are taken", err=True)
                break
    return []


def _only(read: Handoff, tasks: tuple[Task, ...], name: str) -> tuple[Handoff, tuple[Task, ...]]:
    """Return what belongs to the task ``name`` alone."""
    chosen = tuple(task for task in tasks if (task.task or "").lower() == name.strip().lower())
    if not chosen:
        names = [task.task for task in tasks if task.task]
        near = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"tasks: {', '.join(names) or 'none'}"
        raise UsageError(f'there is no task "{clean_line(name, 80)}"', hint)
    wanted = frozenset(chosen[0].blocks)
    blocks = tuple(block for block in read.blocks if block.index in wanted)
    lines = {line for block in blocks for line in range(block.line, block.end_line + 1)}
    problems = tuple(problem for problem in read.problems if problem.line in lines)
    return replace(read, blocks=blocks, problems=problems), chosen
