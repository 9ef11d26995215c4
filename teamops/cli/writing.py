"""One block into the handoff file: drafted, judged under the file's lock, signed or recorded, written."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from teamops.cli.draft import Draft, Words, compose, read_stdin, take_whole
from teamops.cli.place import near, need_file
from teamops.handoff import ROLES
from teamops.handoff.headings import nearest
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.protocol import GateRun
from teamops.model.role import HUMAN, Role
from teamops.model.text import clean, clean_line
from teamops.report.append import Judgement, said_lines

if TYPE_CHECKING:
    from teamops.cli.checking import Checker
    from teamops.config.settings import Settings


class Refused(TeamopsError):  # noqa: N818 - what is said, not a defect
    """The block breaks a rule; nothing was written."""

    def __init__(self, judgement: Judgement, *, whole: bool) -> None:
        said = said_lines(judgement.refused, judgement, whole=whole)
        super().__init__(
            "\n".join(["the block is refused, nothing was written", *said]),
            "mend the block; --force writes it all the same, and that is recorded",
        )
        self.judgement = judgement


@dataclass(slots=True)
class Written:
    """What was written."""

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
    words: Words
    force: bool
    runs: tuple[GateRun, ...]
    record: Callable[[Judgement], None]
    """Records a block that is written by force."""
    sign: Callable[[Judgement], None] | None = None
    """Records a person's block before it is written."""
    written: list[Written] = field(default_factory=list)

    def __call__(self, data: bytes) -> None:
        looked = self.look(data)
        if looked.forced:
            self.record(looked.judgement)
        if self.sign is not None:
            self.sign(looked.judgement)
        self.written = [looked]

    def look(self, data: bytes) -> Written:
        """Return what would be written after ``data``. Raises if it must not be."""
        judgement = self.checker.judge(data, self.draft.text, self.runs)
        block = judgement.block
        if block.role != self.draft.role:
            raise UsageError(f"{clean_line(self.draft.role, 40)} is no name of a role", "a role is one word")
        if not self.words.whole and (block.task or "").lower() != (self.draft.task or "").lower():
            name = clean_line(block.task or "", 60)
            raise TeamopsError(
                f'the block would belong to the task "{name}", nothing was written',
                "name its task with --task" if self.words.task is None else "a task's name is plain text, on one line",
            )
        if judgement.refused and not self.force:
            raise Refused(judgement, whole=self.words.whole)
        forced = ", ".join(dict.fromkeys(one.code for one in judgement.refused))
        if forced or block.role == HUMAN:
            _need_new(judgement)
        return Written(judgement, forced)


def write(settings: Settings, state_dir: Path | None, words: Words, role: Role | None, *, force: bool) -> Written:
    """Write the block. Raises ``Refused``, ``UsageError``, ``TeamopsError``; then nothing was written."""
    from teamops.cli.checking import Checker, Team
    from teamops.handoff.appending import append as append_to

    path = settings.handoff
    need_file(path)
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
        words=words,
        force=force,
        runs=_gate_runs(settings, state_dir) if checker.claims(draft.text) else (),
        record=lambda judgement: _record_force(settings, state_dir, judgement),
    )
    if draft.role == HUMAN:
        guard.sign = _signing(settings, state_dir, draft, lambda: guard.look(_bytes_of(path)))
    try:
        append_to(path, draft.text, guard)
    except OSError as error:
        raise TeamopsError(
            f"{near(path)} can't be written: {error.strerror or error}", "mend its rights, or free disk space"
        ) from error
    written = guard.written[-1]
    written.made = made
    return written


def _need_new(judgement: Judgement) -> None:
    """Raise ``TeamopsError`` where the same block stands already: a record names a block by the digest of its words.

    What is recorded of the one, a person's signature or a force, would be read of the other.
    """
    block = judgement.block
    same = next((one for one in reversed(judgement.blocks[:-1]) if one.digest == block.digest), None)
    if same is not None:
        raise TeamopsError(
            f"the same block stands in line {same.line} already, word for word, nothing was written",
            "if it is meant twice: say it in other words, or a minute later",
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
    told = os.environ.get("TEAMOPS_SESSION")  # inside a boundary tmux can't be asked
    if told is not None:
        return clean_line(told, 120)
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


def _gate_runs(settings: Settings, state_dir: Path | None) -> tuple[GateRun, ...]:
    """Return what teamops knows of the gates it ran; nothing where it can't be known: a block needs no ledger."""
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


def _signing(
    settings: Settings, state_dir: Path | None, draft: Draft, look: Callable[[], object]
) -> Callable[[Judgement], None]:
    """Show the person's block and let them confirm it; return what records it. Raises ``TeamopsError`` without that.

    ``look`` raises for a block that would not be written: nobody is asked about that one.
    """
    import time
    from contextlib import closing

    from teamops.cli.person import ask, need_person
    from teamops.domain.timeline import chain
    from teamops.ledger.store import open_ledger
    from teamops.model.protocol import Approval
    from teamops.supervisor.lease import state_dir_of

    who = need_person("a HUMAN block", settings)
    look()
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
