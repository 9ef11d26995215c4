"""``teamops handoff rotate``: closed tasks move to the archive."""

from __future__ import annotations

import sys
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.place import near, need_file, settings_of
from teamops.handoff import ROLES
from teamops.handoff.archive import FOLDER
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.handoff import Block, Standing, Task
from teamops.model.role import HUMAN, Role
from teamops.model.text import clean_line
from teamops.report.table import counted, or_dash, table

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.domain.proof import Proof


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would move.")
@click.option("--keep", type=click.IntRange(min=0), default=0, help="So many of the tasks closed last stay.")
@click.option("--doubted", is_flag=True, help="Closed tasks whose done is in doubt, too.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@project_option
@state_option
def rotate(root: Path | None, state_dir: Path | None, *, dry_run: bool, keep: int, doubted: bool, yes: bool) -> None:
    """Move closed tasks to archive/current-YYYY-MM.md beside the handoff file.

    A task moves whole, when it is done with its gates, withdrawn, or closed by HUMAN. Its blocks keep their bytes, and
    the ledger knows that they are in the archive. Writers are kept waiting meanwhile.
    """
    settings = settings_of(root)
    need_file(settings.handoff)
    wanted = Wanted(settings, state_dir, keep, doubted=doubted)
    plan = _plan(settings, wanted)
    if plan is None:
        left = wanted.doubted_ones
        click.echo("nothing to move" + (f"; {counted(left, 'closed task')} in doubt: --doubted" if left else ""))
        return
    click.echo(plan)
    if dry_run:
        return
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("rotate asks before it acts, and there is no terminal to answer", "say it with --yes")
        click.confirm("Move them?", abort=True)
    _rotate(settings, state_dir, wanted)


class Wanted:
    """Says which blocks may go: those of closed tasks, and once a plan was shown, of no others than the plan's."""

    def __init__(self, settings: Settings, state_dir: Path | None, keep: int, *, doubted: bool) -> None:
        from teamops.cli.record import recorded

        self._limits = settings.limits
        self._keep = keep
        self._doubted = doubted
        record = recorded(settings, state_dir, must=True)
        self._proof: Proof | None = record.proof
        self.tasks: tuple[Task, ...] = ()
        """Those that may go, as of the last call."""
        self.doubted_ones = 0
        """Closed ones that may not, for doubt."""
        self.planned: frozenset[str] | None = None

    def __call__(self, blocks: tuple[Block, ...]) -> Collection[int]:
        """Return the indices of the blocks that may go."""
        from teamops.domain.protocol import read

        reading = read(blocks, self._limits)
        if self._proof is not None:
            from teamops.domain.proof import proven

            reading = proven(blocks, reading, self._proof)
        closed = [task for task in reading.tasks if not task.open]
        going = [task for task in closed if self._doubted or self._is_over(task, blocks)]
        self.doubted_ones = len(closed) - len(going)
        going.sort(key=lambda task: task.blocks[-1])
        going = going[: len(going) - self._keep] if self._keep else going
        if self.planned is not None:
            going = [task for task in going if _key(task) in self.planned]
        self.tasks = tuple(going)
        return [index for task in going for index in task.blocks]

    def _is_over(self, task: Task, blocks: Sequence[Block]) -> bool:
        """Return whether nobody will ask for more: done with its gates, withdrawn, or the person's own closing."""
        if task.standing in {Standing.DONE, Standing.WITHDRAWN}:
            return True
        last = blocks[task.since_index]
        return last.role == HUMAN and (self._proof is None or last.digest in self._proof.approved)


def _key(task: Task) -> str:
    return (task.task or "").lower()


def _plan(settings: Settings, wanted: Wanted) -> str | None:
    """Return a table of what would move, and bind ``wanted`` to it; ``None``: nothing would."""
    from teamops.handoff.leaving import divide

    path = settings.handoff
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path.name} can't be read: {error.strerror or error}", "go to the project's folder"
        ) from error
    leaving = divide(data, wanted, lambda month: _bytes(_archive(path, month)), _now(), _roles(settings))
    moved = {block.index for block in leaving.moved}
    going = [task for task in wanted.tasks if task.blocks[0] in moved]
    if not going:
        return None
    wanted.planned = frozenset(_key(task) for task in going)
    rows = [(or_dash(task.task), or_dash(task.tier), str(task.standing), str(len(task.blocks))) for task in going]
    lines = [table(("TASK", "TIER", "STANDING", "BLOCKS"), rows, give=(0,))]
    months = ", ".join(near(_archive(path, month)) for month in leaving.archives)
    lines.append(f"\n{counted(len(moved), 'block')} of {counted(len(going), 'closed task')} to {months}")
    if wanted.doubted_ones:
        lines.append(f"{counted(wanted.doubted_ones, 'closed task')} in doubt, not moved: --doubted")
    if leaving.kept:
        lines.append(_said_kept(leaving.kept))
    return "\n".join(lines)


def _rotate(settings: Settings, state_dir: Path | None, wanted: Wanted) -> None:
    from teamops.handoff.rotating import rotate as move
    from teamops.ledger.store import open_ledger
    from teamops.supervisor.lease import state_dir_of

    ledger_path = state_dir_of(settings, state_dir) / "ledger.sqlite3"

    def told(digests: tuple[str, ...]) -> None:
        if ledger_path.exists():  # without one nobody would miss them
            with closing(open_ledger(ledger_path)) as ledger:
                ledger.audit.archive(digests, time.time())

    path = settings.handoff
    try:
        done = move(path, path.parent / FOLDER, wanted, told, _now(), _roles(settings))
    except OSError as error:
        raise TeamopsError(
            f"{path.name} could not be rotated: {error.strerror or error}",
            "mend the folder's rights, or free disk space",
        ) from error
    tasks = len({(block.task or "").lower() for block in done.moved})
    places = ", ".join(near(archive) for archive in done.archives)
    click.echo(f"moved {counted(len(done.moved), 'block')} of {counted(tasks, 'task')} to {places or 'nowhere'}")
    if done.kept:
        click.echo(_said_kept(done.kept))
    if done.salvaged:
        click.echo(f"{done.salvaged} bytes that somebody wrote meanwhile, without the lock, stand in {path.name}")


def _said_kept(kept: Sequence[str | None]) -> str:
    names = ", ".join(clean_line(name or "(no name)", 60) for name in kept)
    return f"stays, as something would read differently without it: {names}"


def _archive(path: Path, month: str) -> Path:
    return path.parent / FOLDER / f"{path.stem}-{month}{path.suffix}"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _roles(settings: Settings) -> frozenset[Role]:
    return frozenset({*ROLES, *(role.role for role in settings.roles)})


def _now() -> datetime:
    return datetime.now()  # noqa: DTZ005 - naive local, as headings are
