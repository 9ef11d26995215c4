"""The gates that teamops runs itself, each result bound to the commit and the work tree it was run on."""

from __future__ import annotations

import os
import shlex
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from teamops.config.settings import Settings
from teamops.domain.complete import Missing, asked, missing
from teamops.effects.program import Ended, Tell, run_program
from teamops.git.repository import Repository
from teamops.model.errors import TeamopsError, UsageError
from teamops.model.handoff import GATES
from teamops.model.protocol import GateRun
from teamops.model.text import clean_line

RUNS, CORRECT, COMPLETE = GATES
GIT_S = 120.0
"""A question to git for a gate may take so long: its first look hashes every new file."""
_NAMED = 5
"""So many paths are named; the rest is counted."""


class GateInterrupted(KeyboardInterrupt):
    """The person ended the gate while it ran. ``run`` is what is to be recorded: it is not ok."""

    def __init__(self, run: GateRun) -> None:
        super().__init__()
        self.run = run


def configured(settings: Settings) -> tuple[str, ...]:
    """Return the gates that teamops can run in this project."""
    return tuple(gate for gate in GATES if getattr(settings.gates, gate))


def command(settings: Settings, gate: str) -> str:
    """Return what a gate runs, for a person."""
    if gate == COMPLETE:
        return f"[gates.complete], {_counted(len(settings.gates.complete), 'rule')}"
    return clean_line(shlex.join(getattr(settings.gates, gate)), 300)


def find_repository(settings: Settings) -> Repository | None:
    """Return the project's repository, if it has one. Raises ``TeamopsError`` where git can't be asked."""
    return Repository.find(settings.root, GIT_S)


def refuse(settings: Settings, gates: Sequence[str], began: float) -> None:
    """Raise ``UsageError`` where one of ``gates`` can't be run here, before any of them is.

    ``began``: Unix seconds when the task began; 0 = nobody knows.
    """
    can = configured(settings)
    for gate in gates:
        if gate not in can:
            key = "[gates.complete]" if gate == COMPLETE else f"gates.{gate}"
            have = f"configured: {', '.join(can)}" if can else "none is configured"
            raise UsageError(f"teamops can't run the gate {gate} here", f"set {key} in teamops.toml ({have})")
    if COMPLETE not in gates:
        return
    try:
        missing((), settings.gates.complete)
        asked((), settings.gates.complete)
    except ValueError as error:
        raise UsageError(f"teamops.toml: [gates.complete]: {clean_line(str(error), 120)}", "mend the glob") from error
    if began <= 0:
        raise UsageError(
            "nobody knows when the task began, so nobody knows what changed since",
            "its first block has no date that can be read, and teamops has not seen it come",
        )
    if find_repository(settings) is None:
        raise UsageError(
            f"the gate complete is judged by git, and {settings.root} is in no git repository",
            "git init, or take [gates.complete] out of teamops.toml",
        )


def run_gate(
    settings: Settings, gate: str, *, task: str | None, began: float, wall: float, tell: Tell = lambda _, __: None
) -> GateRun:
    """Run one gate and return its result, to be recorded. Blocks until its end, at most the configured time.

    ``began``: Unix seconds when the task began; ``wall``: now. Raises ``UsageError`` where the gate can't be run here,
    and ``GateInterrupted`` where the person ended it. What fails in the gate itself is its result.
    """
    refuse(settings, [gate], began)
    with tempfile.TemporaryDirectory(prefix="teamops-gate-", ignore_cleanup_errors=True) as folder:
        binding = _Binding(settings, Path(folder))
        if gate == COMPLETE:
            run = _complete(settings, began, wall)
            interrupted = False
        else:
            ended, run = _command(settings, gate, task, wall, tell)
            interrupted = ended.interrupted
        tree, remark = ("", "") if interrupted else binding.after()
    run = replace(run, task=task, commit=binding.commit, tree=tree, tail="\n".join(filter(None, [run.tail, remark])))
    if interrupted:
        raise GateInterrupted(run)
    return run


class _Binding:
    """What a result is true of: the commit, and the work tree if it is the same before and after."""

    def __init__(self, settings: Settings, trees: Path) -> None:
        self._settings = settings
        self._trees = trees
        self._trouble = ""
        self._repository: Repository | None = None
        self.commit = self._before = ""
        try:
            self._repository = find_repository(settings)
            if self._repository is not None:
                self.commit = self._repository.head()
                self._before = self._tree(self._repository)
        except TeamopsError as error:
            self._trouble = str(error)

    def after(self) -> tuple[str, str]:
        """Return the work tree that the result is bound to, or nothing and why."""
        if self._repository is None or self._trouble:
            return "", self._trouble and f"teamops: bound to no work tree: {clean_line(self._trouble, 300)}"
        try:
            now = self._tree(self._repository)
            if now == self._before:
                return now, ""
            differing = self._repository.between(self._before, now, self._trees)
        except TeamopsError as error:
            return "", f"teamops: bound to no work tree: {clean_line(str(error), 300)}"
        return "", (
            f"teamops: the work tree changed while the gate ran ({_some(differing)}), so the result is bound to none:"
            " name in .gitignore what the gate writes, and run it again while nobody works"
        )

    def _tree(self, repository: Repository) -> str:
        return repository.work_tree([self._settings.handoff], self._trees)


def _command(settings: Settings, gate: str, task: str | None, wall: float, tell: Tell) -> tuple[Ended, GateRun]:
    words: Sequence[str] = getattr(settings.gates, gate)
    env = {**os.environ, "TEAMOPS_GATE": gate, "TEAMOPS_TASK": clean_line(task or "", 200)}
    ended = run_program(words, settings.root, env, settings.gates.timeout_s, tell)
    return ended, GateRun(
        task=task,
        gate=gate,
        command=command(settings, gate),
        ok=ended.ok,
        exit_status=ended.status,
        started_wall=wall,
        seconds=ended.seconds,
        commit="",
        tree="",
        tail="\n".join([*ended.tail, *([f"teamops: {ended.why}"] if ended.why else [])]),
    )


def _complete(settings: Settings, began: float, wall: float) -> GateRun:
    """Judge what changed since the task began. What git can't say makes the gate fail: nothing is proved then."""
    begun = time.monotonic()
    rules = settings.gates.complete
    base, ok = "", False
    try:
        base, changed = _changed(settings, began)
    except TeamopsError as error:
        lines = [f"teamops: {clean_line(str(error), 300)}"]
    else:
        lacking = missing(changed, rules)
        ok = not lacking
        applied = len(asked(changed, rules))
        lines = [_lack(one) for one in lacking]
        lines.append(f"{_counted(len(changed), 'file')} changed, {_counted(applied, 'rule')} of {len(rules)} applied")
    since = f"since {base[:10]}" if base else ""
    return GateRun(
        task=None,
        gate=COMPLETE,
        command=f"[gates.complete] on what changed {since}".rstrip(),
        ok=ok,
        exit_status=None,
        started_wall=wall,
        seconds=time.monotonic() - begun,
        commit="",
        tree="",
        tail="\n".join(lines),
    )


def _changed(settings: Settings, began: float) -> tuple[str, tuple[str, ...]]:
    repository = find_repository(settings)
    if repository is None:
        raise TeamopsError("the git repository is gone", "is the folder still there?")
    base = repository.base_at(began)
    return base, repository.changed_paths(base, [settings.handoff])


def _lack(one: Missing) -> str:
    more = f" and {one.count - 1} more" if one.count > 1 else ""
    return (
        f"nothing in {clean_line(one.glob)} changed, though {_path(one.example)}{more} in {clean_line(one.because)} did"
    )


def _some(paths: Sequence[str]) -> str:
    named = [_path(path) for path in paths[:_NAMED]]
    return ", ".join([*named, *([f"{len(paths) - _NAMED} more"] if len(paths) > _NAMED else [])])


def _path(path: str) -> str:
    return clean_line(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"), 120)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
