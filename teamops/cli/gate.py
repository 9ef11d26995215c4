"""``teamops gate``: run the gates of "done", and show what their last runs are still worth."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import need_file, settings_of
from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError, UsageError
from teamops.model.handoff import GATES, Block, Task
from teamops.model.text import clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.model.protocol import GateRun
    from teamops.report.gates import GatesView

NEWS_S = 15.0
"""Without a terminal a gate that still runs says so as often."""
WIDEST = 160

task_argument = click.argument("task", required=False)
json_option = click.option("--json", "as_json", is_flag=True, help="Print teamops.gates/1.")


@click.group()
def gate() -> None:
    """Run the gates of "done" (runs, correct, complete), and show what their last runs are worth."""


@gate.command()
@task_argument
@click.option("--gate", "gates", multiple=True, type=click.Choice(GATES), help="Only this gate; may be given again.")
@project_option
@state_option
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    task: str | None,
    gates: tuple[str, ...],
    root: Path | None,
    state_dir: Path | None,
    *,
    as_json: bool,
) -> None:
    """Run the gates of TASK that teamops.toml configures, and record the results.

    Without TASK: the only open one. Each result is bound to the commit and the hash of the work tree. Exit code 0 if
    all passed, 1 if one failed, 2 if one can't be run here.
    """
    from teamops.domain.complete import began
    from teamops.effects.gates import GateInterrupted, command, configured, refuse, run_gate
    from teamops.ledger.store import open_ledger
    from teamops.report.gates import length, tail_text
    from teamops.supervisor.lease import state_dir_of

    settings = settings_of(root)
    blocks, chosen = _chosen(settings, task)
    wanted = tuple(name for name in GATES if name in gates) or configured(settings)
    if not wanted:
        raise UsageError(
            "no gate is configured here", "set gates.runs, gates.correct or [gates.complete] in teamops.toml"
        )
    ledger = open_ledger(state_dir_of(settings, state_dir) / "ledger.sqlite3")
    with contextlib.closing(ledger), _ended_as_by_the_person():
        start = began(blocks[chosen.blocks[0]], ledger.audit.walls())
        refuse(settings, wanted, start)
        for name in wanted:
            progress = Progress(name, command(settings, name))
            try:
                done = run_gate(settings, name, task=chosen.task, began=start, wall=time.time(), tell=progress.tell)
            except GateInterrupted as gone:
                progress.end(f"{name} interrupted after {length(gone.run.seconds)}")
                ledger.audit.add_gate_run(gone.run)
                raise
            ledger.audit.add_gate_run(done)
            progress.end(f"{name} {'passed' if done.ok else 'failed'} after {length(done.seconds)}")
            if not done.ok and not as_json:
                click.echo(tail_text(done), err=True)
        view = _view(settings, chosen, ledger.audit.last_gate_runs())
    _show(view, as_json=as_json, tails=False)
    failed = [one for one in view.runs if one.gate in wanted and not one.ok]
    ctx.exit(EXIT_FINDING if failed else EXIT_OK)


@gate.command()
@task_argument
@project_option
@state_option
@json_option
def show(task: str | None, root: Path | None, state_dir: Path | None, *, as_json: bool) -> None:
    """Show the last result of each gate of TASK, and whether it is one of the work tree as it is now.

    Without TASK: the only open one.
    """
    from teamops.ledger.peek import peek
    from teamops.supervisor.lease import state_dir_of

    settings = settings_of(root)
    _, chosen = _chosen(settings, task)
    with peek(state_dir_of(settings, state_dir) / "ledger.sqlite3") as audit:
        runs = [] if audit is None else audit.last_gate_runs()
    _show(_view(settings, chosen, runs), as_json=as_json, tails=True)


def _show(view: GatesView, *, as_json: bool, tails: bool) -> None:
    from teamops.report.gates import gates_json, gates_text

    if as_json:
        click.echo(json.dumps(gates_json(view), ensure_ascii=False, indent=2))
    else:
        width = max(80, min(WIDEST, shutil.get_terminal_size().columns))
        click.echo(gates_text(view, width, tails=tails))


def _view(settings: Settings, task: Task, runs: list[GateRun]) -> GatesView:
    from teamops.effects.gates import configured, find_repository
    from teamops.report.gates import GatesView

    commit = tree = trouble = ""
    try:
        repository = find_repository(settings)
        if repository is not None:
            commit, tree = repository.head(), repository.work_tree([settings.handoff])
    except TeamopsError as error:
        trouble = clean_line(str(error), 300)
    key = _key(task)
    return GatesView(
        task=task.task,
        commit=commit,
        tree=tree,
        trouble=trouble,
        configured=configured(settings),
        runs=tuple(run for run in runs if (run.task or "").lower() == key),
    )


def _chosen(settings: Settings, name: str | None) -> tuple[tuple[Block, ...], Task]:
    """Return the file's blocks and the task meant. Raises ``UsageError`` where it is not clear which."""
    from teamops.domain.protocol import read
    from teamops.handoff import ROLES, parse

    need_file(settings.handoff)
    try:
        data = settings.handoff.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{clean_line(str(settings.handoff), 200)} can't be read: {error.strerror or error}",
            "go to the project's folder, or name it with -C",
        ) from error
    blocks = parse(data, {*ROLES, *(role.role for role in settings.roles)}).blocks
    tasks = read(blocks, settings.limits).tasks
    if name is None:
        opened = [task for task in tasks if task.open]
        if len(opened) == 1:
            return blocks, opened[0]
        names = ", ".join(_name(task) for task in opened)
        what = "several tasks are open" if opened else "no task is open"
        raise UsageError(what, f"name one: {names}" if opened else "name the one that is meant")
    for task in tasks:
        if _key(task) == name.strip().lower():
            return blocks, task
    names_ = [task.task for task in tasks if task.task]
    near = difflib.get_close_matches(name, names_, 1)
    hint = f"did you mean {near[0]}?" if near else f"tasks: {', '.join(names_) or 'none'}"
    raise UsageError(f'there is no task "{clean_line(name, 80)}"', clean_line(hint))


def _key(task: Task) -> str:
    return (task.task or "").lower()


def _name(task: Task) -> str:
    return clean_line(task.task, 80) if task.task else '"" (the one without a name)'


@dataclass(slots=True)
class Progress:
    """What a gate is doing, on standard error: one line that changes on a terminal, else a line now and then."""

    gate: str
    command: str
    _told: float = 0.0

    def __post_init__(self) -> None:
        click.echo(f"{self.gate}: {self.command}", err=True)

    def tell(self, seconds: float, line: str) -> None:
        """Say how long it has run and what it said last."""
        from teamops.report.gates import length
        from teamops.report.table import fit

        if _live():
            width = shutil.get_terminal_size().columns - 1
            text = fit(f"{self.gate} {length(float(int(seconds))):>6}  {clean_line(line)}", max(20, width))
            click.echo(f"\r{text}", nl=False, err=True)
        elif seconds - self._told >= NEWS_S:
            self._told = seconds
            click.echo(f"{self.gate} … {length(seconds)}: {clean_line(line, 200) or 'nothing said yet'}", err=True)

    def end(self, text: str) -> None:
        """Say how it ended, in place of the line that changed."""
        click.echo(f"\r\x1b[K{text}" if _live() else text, err=True)


def _live() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextlib.contextmanager
def _ended_as_by_the_person() -> Iterator[None]:
    """Let a closed terminal or a polite end be an interruption: a gate must not run on without its teamops."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: dict[int, Any] = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
