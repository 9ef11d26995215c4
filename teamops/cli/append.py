"""``teamops append``: a block, written only if it keeps the protocol."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from teamops.cli.draft import Draft, Words, compose, read_stdin, role_in, take_whole
from teamops.cli.options import project_option, state_option
from teamops.cli.place import near, settings_of
from teamops.handoff import ROLES
from teamops.handoff.headings import nearest
from teamops.model.errors import EXIT_FINDING, EXIT_OK, TeamopsError, UsageError
from teamops.model.handoff import Problem
from teamops.model.protocol import GateRun, ProtocolFinding
from teamops.model.role import HUMAN, Role
from teamops.model.text import clean, clean_line

if TYPE_CHECKING:
    from teamops.cli.checking import Checker, Judgement
    from teamops.config.settings import Settings

SCHEMA = "teamops.append/1"


class Refused(TeamopsError):  # noqa: N818 - what is said, not a defect
    """The block breaks a rule; nothing was written."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(
            "the block is refused, nothing was written\n" + "\n".join(_lines(judgement.refused, judgement)),
            "mend the block; --force writes it all the same, and that is recorded",
        )
        self.judgement = judgement


@click.command()
@click.option("--role", help="Whose block it is (default: TEAMOPS_ROLE).")
@click.option("--status", help="done, in progress, blocked…")
@click.option("--turn", help="Who may work next: a role, HUMAN, or NONE.")
@click.option("--tier", type=click.IntRange(1, 3), help="The task's tier (default: as it is).")
@click.option("--task", help="The task's name (default: the one whose light the role holds).")
@click.option("--verdict", help="Of a review: approved, changes-requested.")
@click.option("--gates", help='"runs=pass (pytest -q: 212 passed); correct=pass (…); complete=pass (…)".')
@click.option("--section", "sections", multiple=True, help='"Title=text"; - as the text is standard input.')
@click.option("--force", is_flag=True, help="Write it although the rules refuse it; recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print teamops.append/1.")
@project_option
@state_option
def append(
    root: Path | None, state_dir: Path | None, *, force: bool, as_json: bool, sections: tuple[str, ...], **given: Any
) -> int:
    """Append one block to the handoff file, if it keeps the protocol, and poke who is next.

    A whole block comes on standard input (teamops append < block.md), or the options say its fields and --section its
    text; without --section standard input is the text. What breaks a rule is refused with its code, and nothing is
    written. Exit code 1 if it is refused, 2 on wrong use.
    """
    words = Words(sections=sections, **given)
    own = os.environ.get("TEAMOPS_ROLE", "")
    role = role_in(words, own)
    project = os.environ.get("TEAMOPS_PROJECT")
    named = root or (Path(project) if project and Path(project).is_dir() else None)
    settings = settings_of(named)
    if named is None:
        _need_project(settings)
    try:
        written = _write(settings, state_dir, words, role, force=force)
    except Refused as refused:
        if not as_json:
            raise
        click.echo(json.dumps(_refusal_json(settings, refused.judgement), ensure_ascii=False, indent=2))
        return EXIT_FINDING
    from teamops.cli.announcing import announce

    told = announce(settings, state_dir, written.judgement)
    if as_json:
        answer = _json(settings, written) | {"announced": {"how": told.how, "message": told.message}}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return EXIT_OK
    for line in _lines(written.judgement.warned, written.judgement):
        click.echo(line.removeprefix("  "), err=True)
    if written.made:
        click.echo(f"made {settings.handoff.name} in {settings.handoff.parent}")
    block = written.judgement.block
    task = f" (task {clean_line(block.task, 60)})" if block.task else ""
    click.echo(f"{near(settings.handoff)}:{block.line} [{block.role}] → {block.turn or '?'}{task}")
    if written.forced:
        click.echo(f"written by force against {written.forced}; that is recorded")
    click.echo(told.message)
    return EXIT_OK


@dataclass(slots=True)
class _Written:
    judgement: Judgement
    forced: str = ""
    """The codes of the rules that it breaks."""
    made: bool = False
    """There was no handoff file before."""


@dataclass(slots=True)
class _Guard:
    """Called with the file's bytes under its lock: raises, or lets the block be written."""

    checker: Checker
    draft: Draft
    named: bool
    """The draft knows which task it means."""
    force: bool
    runs: tuple[GateRun, ...]
    sign: Callable[[Judgement], None] | None
    """Records a person's block before it is written."""
    record: Callable[[Judgement], None]
    """Records a block that is written by force."""
    written: list[_Written] = field(default_factory=list)

    def __call__(self, data: bytes) -> None:
        judgement = self.checker.judge(data, self.draft.text, self.runs)
        block = judgement.block
        if block.role != self.draft.role:
            raise UsageError(f"{clean_line(self.draft.role, 40)} is no name of a role", "a role is one word")
        if self.named and (block.task or "").lower() != (self.draft.task or "").lower():
            raise TeamopsError(
                f'the block would belong to the task "{clean_line(block.task or "", 60)}", nothing was written',
                "name its task with --task",
            )
        if judgement.refused and not self.force:
            raise Refused(judgement)
        forced = ", ".join(dict.fromkeys(one.code for one in judgement.refused))
        if forced:
            self.record(judgement)
        if self.sign is not None:
            self.sign(judgement)
        self.written = [_Written(judgement, forced)]


def _write(settings: Settings, state_dir: Path | None, words: Words, role: Role | None, *, force: bool) -> _Written:
    """Write the block. Raises ``Refused``, ``UsageError``, ``TeamopsError``; then nothing was written."""
    from teamops.cli.checking import Checker, Team
    from teamops.handoff.appending import append as append_to

    path = settings.handoff
    own = tuple(one.role for one in settings.roles)
    roles = tuple({*ROLES, *own})
    team = Team(settings.source.name, own) if settings.source is not None and own else None
    checker = Checker(roles, settings.limits, team)
    if role is not None and not force:
        _need_known(role, roles, own)
    made = not path.exists()
    if words.whole:
        draft = take_whole(read_stdin(), role, _session(), roles)
        if not force:
            _need_known(draft.role, roles, own)
    else:
        if role is None:
            raise UsageError("--role is missing, and TEAMOPS_ROLE is not set", "say whose block it is: --role CODER")
        tasks = checker.read(_bytes_of(path))
        draft = compose(words, role, tasks, _session(), datetime.now())  # noqa: DTZ005 - naive by the protocol
    guard = _Guard(
        checker=checker,
        draft=draft,
        named=not words.whole,
        force=force,
        runs=_gate_runs(settings, state_dir, words),
        sign=_signing(settings, state_dir, draft) if draft.role == HUMAN else None,
        record=lambda judgement: _record_force(settings, state_dir, judgement),
    )
    try:
        append_to(path, draft.text, guard)
    except OSError as error:
        raise TeamopsError(
            f"{near(path)} can't be written: {error.strerror or error}", "mend its rights, or free disk space"
        ) from error
    written = guard.written[-1]
    written.made = made
    return written


def _need_project(settings: Settings) -> None:
    """Raise ``UsageError`` where neither this folder nor one above it is a project, nor looks like the root of one.

    An agent that went astray would otherwise begin a file that nobody reads.
    """
    if settings.source is not None or settings.handoff.exists() or (settings.root / ".git").exists():
        return
    above = next((folder for folder in settings.root.parents if (folder / ".git").exists()), None)
    where = f"-C {above}, or -C . for this folder" if above else "-C ., if it is this folder"
    raise UsageError(
        f"there is no teamops.toml and no {settings.handoff.name} in {settings.root} or above it",
        f"name the project's folder, and {settings.handoff.name} is made there: {where}",
    )


def _need_known(role: Role, roles: tuple[Role, ...], team: tuple[Role, ...]) -> None:
    """Raise ``UsageError`` for a role that no team has: a typing error, as a rule."""
    if role not in roles:
        said = nearest(role, (*team, HUMAN) if team else roles)
        raise UsageError(
            f"{clean_line(role, 40)} is no role of this team",
            f"{said} (a team's own roles stand in teamops.toml)",
        )


def _session() -> str:
    """Return the tmux session that this is written in; empty outside of tmux."""
    if not os.environ.get("TMUX"):
        return ""
    from teamops.tmux.around import session_of_pane

    return session_of_pane()


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UsageError(
            f"{near(path)} can't be read: {error.strerror or error}", "mend its rights, or go to the project's folder"
        ) from error


def _gate_runs(settings: Settings, state_dir: Path | None, words: Words) -> tuple[GateRun, ...]:
    """Return what teamops knows of the gates it ran; nothing where it can't be known: a block needs no ledger."""
    if words.gates is None and not words.whole:
        return ()
    from teamops.ledger.peek import peek
    from teamops.supervisor.lease import state_dir_of

    try:
        with peek(state_dir_of(settings, state_dir) / "ledger.sqlite3") as audit:
            return () if audit is None else tuple(audit.last_gate_runs())
    except TeamopsError as error:
        click.echo(f"teamops: the gates' runs are not known: {error.message}", err=True)
        return ()


def _record_force(settings: Settings, state_dir: Path | None, judgement: Judgement) -> None:
    import time
    from contextlib import closing

    from teamops.ledger.store import open_ledger
    from teamops.supervisor.lease import state_dir_of

    why = "; ".join(f"{one.code}: {clean_line(one.message, 200)}" for one in judgement.refused)
    block = judgement.block
    with closing(open_ledger(state_dir_of(settings, state_dir) / "ledger.sqlite3")) as ledger:
        ledger.audit.add_forced(block.role, block.task, block.digest, why, time.time())


def _signing(settings: Settings, state_dir: Path | None, draft: Draft) -> Callable[[Judgement], None]:
    """Show the person's block and let them confirm it; return what records it. Raises ``TeamopsError`` without that."""
    import time
    from contextlib import closing

    from teamops.cli.person import ask, need_person
    from teamops.domain.timeline import chain
    from teamops.ledger.store import open_ledger
    from teamops.model.protocol import Approval
    from teamops.supervisor.lease import state_dir_of

    who = need_person("a HUMAN block", settings)
    word = draft.task or str(HUMAN)
    click.echo(clean(draft.text))
    if ask(f"Type {clean_line(word, 80)} to write this as yours, Enter leaves it: ") != word:
        raise TeamopsError("nothing was written", "type it exactly to confirm")
    path = state_dir_of(settings, state_dir) / "ledger.sqlite3"
    signed: set[str] = set()

    def sign(judgement: Judgement) -> None:
        block = judgement.block
        if block.digest in signed:  # the file was replaced meanwhile, and it is written once more
            return
        approval = Approval(
            task=block.task,
            approver=who,
            wall=time.time(),
            verdict="block",
            note="",
            digest=block.digest,
            chain=chain(judgement.task, judgement.blocks[:-1]),
        )
        with closing(open_ledger(path)) as ledger:
            ledger.audit.add_approval(approval)
        signed.add(block.digest)

    return sign


def _lines(said: tuple[Problem | ProtocolFinding, ...], judgement: Judgement) -> list[str]:
    lines = []
    for one in said:
        inside = one.line - judgement.block.line + 1
        where = f", line {inside} of the block" if inside > 1 else ""
        lines.append(f"  {one.code} ({one.severity}{where}): {clean_line(one.message)}")
        if hint := _hint(one, judgement):
            lines.append(f"    → {clean_line(hint)}")
    return lines


_AGAIN = re.compile(r"append a \[[^\]]+\] block (with|that gives) ")


def _hint(one: Problem | ProtocolFinding, judgement: Judgement) -> str:
    """Return how to mend a block that is not written yet: no other one has to correct it."""
    if one.code in {"not-holder", "two-lights"}:
        if any(said.code == "unknown-role" for said in judgement.refused):
            return "mend the role's name first"
        return f"it is not your turn: wait until a block's Turn names {judgement.block.role}"
    return _AGAIN.sub(lambda found: "write it with " if found[1] == "with" else "give ", one.hint)


def _said_json(said: tuple[Problem | ProtocolFinding, ...], judgement: Judgement) -> list[dict[str, Any]]:
    return [
        {
            "code": one.code,
            "severity": str(one.severity),
            "line": one.line,
            "message": one.message,
            "do": _hint(one, judgement),
        }
        for one in said
    ]


def _refusal_json(settings: Settings, judgement: Judgement) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "ok": False,
        "file": str(settings.handoff),
        "refused": _said_json(judgement.refused, judgement),
        "warnings": _said_json(judgement.warned, judgement),
    }


def _json(settings: Settings, written: _Written) -> dict[str, Any]:
    block, task = written.judgement.block, written.judgement.task
    return {
        "schema": SCHEMA,
        "ok": True,
        "file": str(settings.handoff),
        "made": written.made,
        "line": block.line,
        "role": block.role,
        "task": block.task,
        "turn": block.turn,
        "tier": task.tier,
        "light": task.turn,
        "stage": str(task.stage),
        "forced": _said_json(written.judgement.refused, written.judgement),
        "warnings": _said_json(written.judgement.warned, written.judgement),
    }
