"""What is tried in a role's boundary: names that can do no harm, chosen by the role's own policy."""

# ruff: noqa: PTH112, PTH114, PTH120, PTH208 - texts: the kernel is told of them, not of Paths
from __future__ import annotations

import json
import os
import shlex
import socket
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from teamops.config.boundary import compiled_in, policy_of
from teamops.config.settings import RoleSettings, Settings
from teamops.domain.confinement import Boundary, Layer
from teamops.domain.confinement_words import layer_of
from teamops.domain.on_disk import is_in
from teamops.domain.write_rules import example_of, spot_of
from teamops.effects.canary_calls import Line, read_call, write_call
from teamops.effects.confine import Confined
from teamops.guard import canary, holds, light, policy
from teamops.guard.decide import decide
from teamops.guard.judge import ALLOW, DENY, Light
from teamops.tmux.socket import Socket

MAX_LOOKED_AT = 60
"""So many names of the project's folder are looked at for one that may, or may not, be written."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One role's agent, as it would be started."""

    settings: Settings
    role: RoleSettings
    folder: Path
    """The project's in the person's state directory."""
    done: Confined

    @property
    def client(self) -> str:
        """Return which client runs; "command" where what runs is none that has hooks."""
        return self.role.client

    @property
    def gate(self) -> str:
        """Return where its hold would stand."""
        return holds.path_of(str(self.folder), self.role.role)


@dataclass(slots=True)
class Plan:
    """What is tried, and in which words a person hears of it."""

    writes: list[tuple[str, bool, bool]] = field(default_factory=list)
    """Path, whether it is forbidden, whether this machine has what holds it."""
    opens: list[str] = field(default_factory=list)
    """Files that are there, forbidden and held: opened to write, and not written."""
    empties: list[tuple[str, bool]] = field(default_factory=list)
    """A file that is made for the trial and may not be emptied, whether this machine has what holds it."""
    sockets: list[tuple[str, str, bool]] = field(default_factory=list)
    """Path, in words, whether this machine has what holds it."""
    signals: list[tuple[int, bool]] = field(default_factory=list)
    reads: tuple[str, ...] = ()
    calls: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)
    """Kind (forbidden, allowed, blind, held), in words, as the program inside takes it."""


class Door:
    """A socket without a name in the file system, at which this process listens meanwhile."""

    def __init__(self) -> None:
        self.name = ""
        self._socket: socket.socket | None = None
        if sys.platform == "linux":
            self._socket = socket.socket(socket.AF_UNIX)
            name = f"teamops-canary-{uuid.uuid4().hex}"
            try:
                self._socket.bind(f"\0{name}")
                self._socket.listen()
                self.name = name
            except OSError:
                self.close()

    def close(self) -> None:
        """Listen no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def planned(subject: Subject, line: Line, door: Door, *, quick: bool) -> Plan:
    """Return what is tried. ``quick``: what a start can wait for."""
    plan = Plan(reads=tuple(path for path in line.files if os.path.lexists(path)))
    if subject.done.boundary is not None:
        _plan_writes(plan, subject, subject.done.boundary, quick=quick)
        _plan_doors(plan, subject, door)
    if line.words and subject.role.profile is not None:
        _plan_calls(plan, subject, line, quick=quick)
    return plan


def _plan_writes(plan: Plan, subject: Subject, drawn: Boundary, *, quick: bool) -> None:
    root, name = os.path.realpath(subject.settings.root), f"{canary.NAME}{uuid.uuid4().hex[:12]}"
    spool = f"{root}/.teamops/spool/{subject.role.role}"
    means = subject.done.means
    forbidden = [f"{root}/.teamops/{name}", *_forbidden_folder(drawn, root, name)]
    if not quick:
        forbidden += [f"{os.path.realpath(subject.folder)}/{name}", *_at_home(subject, name)]
    for path in (*drawn.settings, *drawn.project):
        if layer_of(drawn, path) is not Layer.KERNEL:
            continue  # one hole for all of them, and no row for each
        if os.path.isdir(path):
            forbidden.append(f"{path}/{name}")
        else:
            plan.opens.append(path)
    plan.writes += [(path, True, layer_of(drawn, path) is Layer.KERNEL) for path in forbidden]
    if not means.sandbox_exec:
        around = f"/proc/{os.getpid()}/root{root}/.teamops/{name}"
        plan.writes.append((around, True, bool(means.landlock and means.bwrap)))
    if forbidden[1:] and (drawn.emptied or not quick):
        place = next((each for each in drawn.emptied if is_in(each, root)), os.path.dirname(forbidden[1]))
        plan.empties.append((f"{place}/{name}-full", not drawn.emptied))
    allowed = [f"{spool}/{name}", *([] if quick else _allowed_folder(drawn, root, spool, name))]
    plan.writes += [(path, False, True) for path in allowed]


def _forbidden_folder(drawn: Boundary, root: str, name: str) -> list[str]:
    """Return a path in a folder of the project that the kernel holds for this role, and not for every other, too."""
    own = (each for each in _names(root) if not each.startswith(".") and each != "profiles")
    for folder in (root, *(f"{root}/{each}" for each in own)):
        if os.path.isdir(folder) and not os.path.islink(folder):
            path = f"{folder}/{name}"
            if layer_of(drawn, path) is Layer.KERNEL:
                return [path]
    return []


def _allowed_folder(drawn: Boundary, root: str, spool: str, name: str) -> list[str]:
    """Return a path in a folder of the project that this role may write."""
    for folder in drawn.writable:
        if is_in(folder, root) and folder != spool and not is_in(folder, f"{root}/.git") and os.path.isdir(folder):
            return [f"{folder}/{name}"]
    return []


def _at_home(subject: Subject, name: str) -> list[str]:
    home = subject.role.env.get("HOME") or os.environ.get("HOME", "")
    return [f"{os.path.realpath(home)}/{name}"] if home and os.path.isdir(home) else []


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))[:MAX_LOOKED_AT]
    except OSError:
        return []


def _plan_doors(plan: Plan, subject: Subject, door: Door) -> None:
    means, own = subject.done.means, subject.settings
    scoped = means.landlock >= 6
    if door.name:
        plan.sockets.append((f"@{door.name}", "connect to an abstract socket outside", scoped))
    tmux = str(Socket(own.tmux.socket_name, own.tmux.socket_path).file({**os.environ, **subject.role.env}))
    shown = {os.path.realpath(path) for path in own.sandbox.sockets}
    if os.path.realpath(tmux) not in shown and canary.connect(tmux) == canary.DONE:
        plan.sockets.append((tmux, "connect to the tmux server", bool(means.bwrap)))
    plan.signals.append((os.getpid(), scoped))


def _plan_calls(plan: Plan, subject: Subject, line: Line, *, quick: bool) -> None:
    """Plan the calls of the hook: by its very line, and by that line with a policy and a light of their own."""
    told = json.loads(json.dumps(compiled_in(subject.settings, subject.role, subject.folder)))
    no, yes = _paths(subject, told)
    cwd = subject.role.cwd
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.environ.get("HOME", "/")}
    env |= {"TEAMOPS_ROLE": str(subject.role.role), "TEAMOPS_PROJECT": f"{canary.MARK}/project", **line.env}

    def plan_call(kind: str, words: Sequence[str], call: tuple[str, str], files: Mapping[str, str]) -> None:
        what, text = call
        plan.calls.append((kind, what, {"words": list(words), "told": text, "env": env, "files": dict(files)}))

    write_no = write_call(subject.client, line.event, cwd, no)
    ruled = not _held(subject) and os.path.lexists(policy.beside(subject.gate))
    if ruled:
        # What no role changes: it is refused before the hook looks whose turn it is, which may take its time.
        never = str(subject.settings.root / ".teamops" / Path(no).name)
        plan_call("forbidden", line.words, write_call(subject.client, line.event, cwd, never), {})
        plan_call("allowed", line.words, read_call(subject.client, line.event, cwd, yes or no), {})
    place = f"{canary.MARK}/state/holds/{subject.role.role}"
    words = _elsewhere((*line.words, *line.env.values()), subject.gate, place)
    if words is None or (quick and ruled):
        return
    env = {**env, **dict(zip(line.env, words[len(line.words) :], strict=True))}
    words = words[: len(line.words)]
    files = _state(subject, told, yes)
    plan_call("forbidden", words, write_no, files)
    allowed = write_call if yes else read_call
    plan_call("allowed", words, allowed(subject.client, line.event, cwd, yes or no), files)
    if quick:
        return
    bare = {name: text for name, text in files.items() if not name.startswith(f"/state/{policy.FOLDER}/")}
    plan_call("blind", words, write_call(subject.client, line.event, cwd, yes or no), bare)
    held = {**files, f"/state/{holds.FOLDER}/{subject.role.role}": "held: tried by teamops doctor\n"}
    plan_call("held", words, read_call(subject.client, line.event, cwd, yes or no), held)


def _held(subject: Subject) -> bool:
    return bool(holds.reason(subject.gate))


def _state(subject: Subject, told: Mapping[str, object], named: str) -> dict[str, str]:
    """Return the files of a state folder in which the role holds the light, and nobody is held."""
    own = {**told, "light_path": f"{canary.MARK}/state/light.json", "handoff_path": f"{canary.MARK}/state/none.md"}
    rows: list[dict[str, object]] = [{"role": str(subject.role.role), "task": "", "named": [named] if named else []}]
    return {
        f"/state/{holds.FOLDER}/.keep": "",
        f"/state/{policy.FOLDER}/{subject.role.role}.json": json.dumps(own),
        "/state/light.json": light.text_of([], rows),
    }


def _elsewhere(words: Sequence[str], gate: str, place: str) -> tuple[str, ...] | None:
    """Return the words with another gate in them; ``None`` where it is not among them in a plain form."""
    for form in (shlex.quote(gate), gate):
        if any(form in word for word in words):
            return tuple(word.replace(form, place) for word in words)
    return None


def _paths(subject: Subject, told: policy.Policy) -> tuple[str, str]:
    """Return a path that the role's policy forbids and one that it allows while it holds the light; empty = none.

    Nothing is written there: a hook is asked about them.
    """
    root, stem = subject.role.cwd, f"teamops-canary-{uuid.uuid4().hex[:8]}"

    def verdict(path: str) -> tuple[str, str]:
        given = {"file_path": str(root / path), "content": "teamops doctor\n"}
        try:
            said = decide(told, "Write", given, str(root), Light(held=True, named=(path,)))
        except (OSError, KeyError, ValueError):
            return "", ""
        return said.verdict, said.rule

    tried = paths_of(subject.role, stem)
    there = [name for name in _names(str(root)) if not name.startswith(".") and (root / name).is_file()]
    no = next((path for path in tried if (said := verdict(path))[0] == DENY and said[1].startswith("write.")), "")
    yes = next((path for path in (*tried, *there) if verdict(path)[0] == ALLOW), "")
    return str(root / (no or f".teamops/{stem}")), str(root / yes) if yes else ""


def paths_of(role: RoleSettings, stem: str) -> list[str]:
    """Return names in the project: ``stem`` in the folders that the role's own rules speak of, and what they allow."""
    policy = policy_of(role)
    globs = (*policy.write_deny, *policy.write_allow) if policy is not None else ()
    folders = [spot.path for spot in map(spot_of, globs) if spot.folder or (role.cwd / spot.path).is_dir()]
    spots = list(dict.fromkeys(f"{folder}/{stem}".lstrip("/") for folder in folders))
    ends = (".py", ".md", ".txt")
    plain = [*(f"{stem}{end}" for end in ends), *(f"{spot}{end}" for spot in spots for end in ends)]
    own = [example_of(glob, stem) for glob in (policy.write_allow if policy is not None else ())]
    return [path for path in dict.fromkeys([*plain, *own]) if path]
