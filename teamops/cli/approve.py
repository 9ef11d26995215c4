"""``teamops approve``: the person's sign-off, after the whole chain was shown."""

from __future__ import annotations

import asyncio
import difflib
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.options import project_option, state_option
from teamops.cli.person import ask, need_person
from teamops.cli.place import need_file, settings_of
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.role import HUMAN
from teamops.model.snapshot import SignOff
from teamops.model.text import clean, clean_line

if TYPE_CHECKING:
    from teamops.config.settings import Settings
    from teamops.model.actions import Outcome
    from teamops.model.handoff import Block
    from teamops.model.protocol import TaskReport
    from teamops.model.snapshot import Snapshot

OUTCOME_S = 30.0
WIDEST = 120


@click.command()
@click.argument("task", required=False)
@click.option("--back", help="Send the task back, with this note.")
@click.option("--note", help="Say this with the sign-off.")
@click.option("--recorded", is_flag=True, help="Go through the HUMAN blocks that have no record instead.")
@project_option
@state_option
def approve(
    task: str | None, root: Path | None, state_dir: Path | None, back: str | None, note: str | None, *, recorded: bool
) -> None:
    """Show TASK's whole chain, then sign it off or send it back.

    Without TASK: the one that waits for you. Needs a terminal of your own; Enter alone leaves everything as it is. With
    --recorded: every HUMAN block without a record is shown, to be recorded as yours.
    """
    settings = settings_of(root)
    if back is not None and (note is not None or not back.strip()):
        raise UsageError("--back says why, and goes without --note", 'for instance: --back "the totals are wrong"')
    if recorded and (back is not None or note is not None):
        raise UsageError("--recorded goes without --back and --note", "it records what stands already")
    who = need_person("teamops approve", settings)
    if not settings.handoff.exists():
        raise UsageError(f"there is no {settings.handoff.name} in {settings.root}", "go to the project's folder, or -C")
    need_file(settings.handoff)
    if recorded:
        _record(settings, state_dir, task, who)
        return
    report, text = asyncio.run(_look(settings, state_dir, task))
    click.echo(text + "\n")
    if report.refusal:
        click.echo(f"It can't be signed off now: {clean_line(report.refusal)}\n")
        if report.task.turn != HUMAN:
            raise TeamopsError(
                "nothing was done", "whose light it is goes on; your own block: teamops append --role HUMAN"
            )
    answer = _decide(report, back, note or "")
    if answer is None:
        click.echo("left as it is")
        return
    # What came while the person thought is noticed by the chain's digest: then nothing is signed.
    wish = SignOff(task=report.task.task, approve=answer[0], note=answer[1], chain=report.chain)
    outcome = asyncio.run(_wish(settings, state_dir, wish))
    if not outcome.ok:
        raise TeamopsError(outcome.message, outcome.hint)
    click.echo(outcome.message + (f" ({outcome.evidence})" if outcome.evidence else ""))


async def _look(settings: Settings, state_dir: Path | None, wanted: str | None) -> tuple[TaskReport, str]:
    """Return the chosen task's report, and its chain as text."""
    from teamops.report.chain import chain_text
    from teamops.supervisor.visiting import visit

    async with visit(settings, state_dir=state_dir) as (core, snapshot):
        report = await core.task_report(_chosen(snapshot, wanted))
        data = await asyncio.to_thread(settings.handoff.read_bytes)
        text_of = _text_of(data)
        return report, chain_text(settings.handoff.name, report, snapshot.blocks, text_of, time.time(), _width())


async def _wish(settings: Settings, state_dir: Path | None, wish: SignOff) -> Outcome:
    from teamops.supervisor.visiting import visit

    async with visit(settings, state_dir=state_dir) as (core, _):
        try:
            return await asyncio.wait_for(core.wish(wish), OUTCOME_S)
        except TimeoutError:
            raise TeamopsError(f"no outcome within {OUTCOME_S:.0f} s", "look at the end of the file") from None


def _width() -> int:
    return max(80, min(WIDEST, shutil.get_terminal_size().columns))


def _text_of(data: bytes) -> Callable[[Block], str]:
    return lambda block: data[block.start : block.end].decode("utf-8", "replace")


def _chosen(snapshot: Snapshot, wanted: str | None) -> str | None:
    """Return the task that is meant: the named one, else the only one that waits for the person."""
    if wanted is not None:
        for task in snapshot.tasks:
            if (task.task or "").lower() == wanted.strip().lower():
                return task.task
        names = [task.task for task in snapshot.tasks if task.task]
        near = difflib.get_close_matches(wanted, names, 1)
        hint = f"did you mean {clean_line(near[0], 80)}?" if near else "see: teamops handoff tasks"
        raise UsageError(f'there is no task "{clean_line(wanted, 80)}"', hint)
    waiting = [task.task for task in snapshot.tasks if task.open and task.turn == HUMAN]
    if len(waiting) == 1:
        return waiting[0]
    if not waiting:
        raise UsageError("no task waits for you", "name one to judge it all the same; see: teamops handoff tasks")
    names_ = ", ".join(clean_line(name or "(no name)", 80) for name in waiting)
    raise UsageError(f"{len(waiting)} tasks wait for you", f"say which: {names_}")


def _decide(report: TaskReport, back: str | None, note: str) -> tuple[bool, str] | None:
    """Ask the person; return whether they sign, and their note. ``None``: it is left as it is."""
    name = clean_line(report.task.task or "sign off", 200)
    short = "back" if name.lower() == "b" else "b"
    if back is not None:
        question = f"Type {name} to send it back, Enter leaves it as it is: "
    elif report.refusal:
        question = f"Type {short} to send it back, Enter leaves it as it is: "
    else:
        question = f"Type {name} to sign off, {short} to send back, Enter leaves it as it is: "
    while True:
        typed = ask(question)
        if not typed:
            return None
        if typed == name and back is not None:
            return False, back
        if typed == name and not report.refusal:
            return True, note
        if typed.lower() == short and back is None:
            why = ask("Why? One line for the team, Enter leaves it as it is: ")
            return (False, why) if why else None
        click.echo(f'"{clean_line(typed, 80)}" is neither; nothing was done.')


def _record(settings: Settings, state_dir: Path | None, wanted: str | None, who: str) -> None:
    """Show each HUMAN block without a record, and record those that the person says are theirs."""
    from teamops.domain.protocol import read
    from teamops.domain.timeline import chain
    from teamops.handoff import ROLES, parse
    from teamops.ledger.store import open_ledger
    from teamops.model.protocol import Approval
    from teamops.supervisor.lease import state_dir_of

    data = settings.handoff.read_bytes()
    blocks = parse(data, {*ROLES, *(role.role for role in settings.roles)}).blocks
    tasks = {(task.task or "").lower(): task for task in read(blocks, settings.limits).tasks}
    if wanted is not None and wanted.strip().lower() not in tasks:
        raise UsageError(f'there is no task "{clean_line(wanted, 80)}"', "see: teamops handoff tasks --all")
    with closing(open_ledger(state_dir_of(settings, state_dir) / "ledger.sqlite3")) as ledger:
        known = {approval.digest for approval in ledger.audit.approvals()}
        left = [
            block
            for block in blocks
            if block.role == HUMAN
            and block.digest not in known
            and (wanted is None or (block.task or "").lower() == wanted.strip().lower())
        ]
        if not left:
            click.echo("every HUMAN block is on record")
            return
        done, everything = 0, f"all {len(left)}"
        click.echo(f"HUMAN blocks without a record: {len(left)}. Record only what you wrote yourself.\n")
        for block in left:
            click.echo(f"  {_heading(block)}")
        click.echo()
        text_of, all_of_them = _text_of(data), False
        for number, block in enumerate(left, 1):
            name = clean_line(block.task or str(HUMAN), 200)
            click.echo(f"── {number} of {len(left)}: {_heading(block)}")
            click.echo(clean(text_of(block)).rstrip() + "\n")
            if not all_of_them:
                more = f", {everything} for this and all that follow" if number < len(left) else ""
                typed = ask(f"Type {name} to record it as yours{more}, Enter leaves it: ")
                all_of_them = bool(more) and typed == everything
                if typed != name and not all_of_them:
                    click.echo("not recorded\n")
                    continue
            task = tasks[(block.task or "").lower()]
            ledger.audit.add_approval(
                Approval(
                    task=block.task,
                    approver=who,
                    wall=time.time(),
                    verdict="recorded",
                    note="",
                    digest=block.digest,
                    chain=chain(task, blocks[: block.index]),
                )
            )
            done += 1
        click.echo(f"{done} of {len(left)} recorded as {who}'s")


def _heading(block: Block) -> str:
    at = f"{block.at:%Y-%m-%d %H:%M}" if block.at else "no date"
    said = clean_line(block.verdict or block.status or "no status", 40)
    return f"line {block.line}, {at}, {clean_line(block.task or '(no task)', 60)}: {said}"
