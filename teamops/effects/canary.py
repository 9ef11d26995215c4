"""Proves a role's boundary: a small program is started where its agent would be, and tries what is to be held.

It goes the way of a start, by the very words: behind the same mounts, with the same plan, and it calls the client's
hook by the line that the launch gives it. What is asked of a start is quick; ``teamops doctor`` asks for all of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic
from typing import Any

from teamops.config.settings import RoleSettings, SandboxMode, Settings
from teamops.domain.canary import (
    PATIENCE_S,
    Answer,
    Asked,
    Client,
    Try,
    hold_check,
    hook_check,
    kernel_check,
    no_hook,
    not_started,
    not_tried,
    unheld,
)
from teamops.effects.canary_calls import Line, by_plugin, line_of
from teamops.effects.canary_plan import Door, Plan, Subject, planned
from teamops.effects.confine import Confined, Means
from teamops.guard import canary, confine
from teamops.model.check import Check, Word
from teamops.model.text import clean_line

LIMIT_S = 4 * PATIENCE_S
"""The program inside ends before: each of its calls is ended after PATIENCE_S, and all run at once."""


def prove(subject: Subject, *, quick: bool, client: Client | None = None) -> tuple[Check, ...]:
    """Try the layers of one role's boundary, and return what came of it. Blocks; never raises.

    Everything that its start needs is written already. ``quick``: what a start can wait for; ``client``: what is known
    of the client beside its hook.
    """
    try:
        return _proved(subject, client or Client(subject.client), quick=quick)
    except Exception as error:  # noqa: BLE001 - a port: no start fails because of its trial, and a person sees it
        return (not_tried(subject.role.role, f"{type(error).__name__}: {clean_line(str(error), 200)}"),)


def _proved(subject: Subject, client: Client, *, quick: bool) -> tuple[Check, ...]:
    line = line_of(subject.role, subject.done.recipe)
    if client.runtime and line.words:
        line = by_plugin(line, subject.done.recipe, client.runtime)
    with closing(Door()) as door:
        plan = planned(subject, line, door, quick=quick)
        told, failure, ms = _run(subject, plan)
    ms -= int(str(told.pop("calls_ms", 0)))
    checks = [_kernel(subject, plan, told, failure, ms)]
    checks += _hooks(subject, plan, line, client, told, quick=quick)
    return tuple(checks)


def tried(settings: Settings, role: RoleSettings, folder: Path, done: Confined) -> tuple[Check, ...]:
    """Return what a start needs to know of its boundary. Blocks, for a tenth of a second where all is well."""
    from teamops.effects.canary_clients import switches_of

    return prove(Subject(settings, role, folder, done), quick=True, client=switches_of(role))


# Trying it


def _run(subject: Subject, plan: Plan) -> tuple[dict[str, Any], str, int]:
    """Return what the program inside said, or why it said nothing, and how long it took (ms)."""
    _make(plan)
    asked = {
        "writes": [path for path, _, _ in plan.writes],
        "opens": plan.opens,
        "empties": [path for path, _ in plan.empties],
        "sockets": [path for path, _, _ in plan.sockets],
        "signals": [pid for pid, _ in plan.signals],
        "reads": list(plan.reads),
        "calls": [call for _, _, call in plan.calls],
        "limit_s": PATIENCE_S,
    }
    words = [*around(subject.done.recipe.argv), sys.executable, "-I", "-S", str(canary.__file__)]
    begun = monotonic()
    try:
        out, said, status = _communicate(words, subject, json.dumps(asked).encode())
    except OSError as error:
        out, said, status = b"", f"{words[0]}: {error.strerror or error}", 127
    ms = round((monotonic() - begun) * 1000)
    _clear_up(plan)
    try:
        return json.loads(out), "", ms
    except ValueError:
        why = next((line for line in said.splitlines() if line.strip()), f"exit status {status}")
        return {}, clean_line(why.removeprefix("teamops: "), 200), ms


def around(argv: Sequence[str]) -> tuple[str, ...]:
    """Return the words that hold the boundary around the agent's own; empty = there are none."""
    own = str(confine.__file__)
    return tuple(argv[: argv.index(own) + 3]) if own in argv else ()  # the program, its plan, "--"


def _communicate(words: Sequence[str], subject: Subject, told: bytes) -> tuple[bytes, str, int]:
    env = {**os.environ, **subject.done.recipe.env}
    child = subprocess.Popen(
        words,
        cwd=subject.role.cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, said = child.communicate(told, LIMIT_S)
    except subprocess.TimeoutExpired:
        return b"", f"no word within {LIMIT_S:.0f} s", -1
    finally:
        with suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
    return out, said.decode("utf-8", "replace"), child.returncode


def _make(plan: Plan) -> None:
    """Make what is to be emptied; where that can't be, there is nothing to try."""
    for path, here in list(plan.empties):
        try:
            with Path(path).open("x", encoding="utf-8") as file:
                file.write("teamops doctor\n")
        except OSError:
            plan.empties.remove((path, here))


def _clear_up(plan: Plan) -> None:
    """Take away what the program inside could write and could not take away again: nothing else has such a name."""
    for path in (*(path for path, _, _ in plan.writes), *(path for path, _ in plan.empties)):
        with suppress(OSError):
            Path(path).unlink()


# What came of it


def _kernel(subject: Subject, plan: Plan, told: Mapping[str, Any], failure: str, ms: int) -> Check:
    role, means = subject.role.role, subject.done.means
    if subject.done.boundary is None:
        return _unheld(subject, means)
    if failure:
        return not_started(role, failure, f"look what it says: teamops run --role {role} -- true", ms)
    tries = [
        Try(f"write {path}", forbidden, why == canary.DONE, str(why), here)
        for (path, forbidden, here), why in zip(plan.writes, told["writes"], strict=True)
    ]
    tries += [
        Try(f"open {path} to write", forbidden=True, done=why == canary.DONE, why=str(why))
        for path, why in zip(plan.opens, told["opens"], strict=True)
    ]
    tries += [
        Try(f"empty {path}", forbidden=True, done=why == canary.DONE, why=str(why), held_here=here, whole=here)
        for (path, here), why in zip(plan.empties, told["empties"], strict=True)
    ]
    tries += [
        Try(what, forbidden=True, done=why == canary.DONE, why=str(why), held_here=here)
        for (_, what, here), why in zip(plan.sockets, told["sockets"], strict=True)
    ]
    tries += [
        Try("send signals to processes outside", forbidden=True, done=why == canary.DONE, why=str(why), held_here=here)
        for (_, here), why in zip(plan.signals, told["signals"], strict=True)
    ]
    tries += [
        Try(f"read {path}", forbidden=False, done=bool(there), why="it can't be read in there")
        for path, there in zip(plan.reads, told["reads"], strict=True)
    ]
    missing = [] if (means.bwrap and means.landlock and not means.empties) or means.sandbox_exec else list(means.lacks)
    drawn = subject.done.boundary
    links = [f"{clean_line(path, 120)} is a link, which can be put elsewhere" for path in drawn.links]
    strict = subject.settings.guard.strict
    planted = [clean_line(hole, 200) for hole in drawn.planted]
    return kernel_check(role, means.name, tries, ms, missing, drawn.holes, links, planted, strict=strict)


def _unheld(subject: Subject, means: Means) -> Check:
    role = subject.role.role
    if subject.settings.sandbox.mode is SandboxMode.OFF:
        return unheld(role, Word.OFF, "sandbox.mode is off", 'say mode = "auto" in [sandbox] of teamops.toml')
    if not subject.done.recipe.argv:
        why = "teamops does not start it: it has no command"
        return unheld(role, Word.OFF, why, f"set command for {role} in teamops.toml")
    return unheld(role, Word.NOT_SUPPORTED, "; ".join(means.lacks), "install bubblewrap; Linux 5.13 has Landlock")


def _hooks(
    subject: Subject,
    plan: Plan,
    line: Line,
    client: Client,
    told: Mapping[str, Any],
    *,
    quick: bool,
) -> list[Check]:
    role = subject.role.role
    if not line.words or line.wrong or subject.role.profile is None:
        return [_no_hook(subject, line), *([] if quick else [hold_check(role, None)])]
    if not told:
        return [no_hook(role, Word.BROKEN, "not tried: nothing starts in its boundary", "mend the kernel's row")]
    answers: dict[str, list[Asked]] = {}
    for (kind, what, _), raw in zip(plan.calls, told["calls"], strict=True):
        answer = Answer(raw["status"], clean_line(raw["out"], 200), raw["said"], raw["ms"])
        answers.setdefault(kind, []).append(Asked(what=what, answer=answer, seal=line.seal))
    checks = [
        hook_check(role, client, answers.get("forbidden", ()), answers.get("allowed", ()), answers.get("blind", ()))
    ]
    if not quick and answers.get("held"):
        checks.append(hold_check(role, answers["held"][0]))
    return checks


def _no_hook(subject: Subject, line: Line) -> Check:
    role = subject.role.role
    if line.wrong:
        return no_hook(role, Word.BROKEN, f"lets through what is forbidden: {line.why}", line.do)
    if subject.role.profile is None:
        return no_hook(role, Word.OFF, "its role has no profile, so no boundary", f"write profiles/{role.lower()}.md")
    if not subject.done.recipe.argv:
        return no_hook(role, Word.OFF, "teamops does not start it: it has no command", "")
    if subject.client in {"sdk", "command"}:
        why = "a program of its own has no hooks: the kernel alone holds it"
        return no_hook(role, Word.NOT_SUPPORTED, why)
    return no_hook(role, Word.OFF, line.why)
