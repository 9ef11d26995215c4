"""Looks at what teamops stands on: programs, the state directory, the clock, the project's own files."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from teamops.config.problems import ConfigProblem
from teamops.config.settings import CLIENTS, Settings
from teamops.domain import machine
from teamops.domain.canary import unproven
from teamops.domain.machine import broken, works
from teamops.effects.canary_clients import Versions, program_of, version_of
from teamops.effects.confine import Means
from teamops.effects.program import run_program
from teamops.handoff import ROLES, parse
from teamops.model.check import Check, Word
from teamops.model.handoff import Severity
from teamops.model.text import clean_line

ANSWER_S = 5.0
_INOTIFY = Path("/proc/sys/fs/inotify")
_GRAVE = (Severity.ERROR, Severity.CRITICAL)


def configuration(root: Path, problems: tuple[ConfigProblem, ...], *, refused: bool) -> Check:
    """Return how teamops.toml and the profiles are read."""
    if refused:
        first = next((each for each in problems if each.severity is Severity.ERROR), problems[0])
        return broken("teamops.toml", clean_line(str(first), 200), "teamops config check lists all there is to mend")
    if problems:
        return works("teamops.toml", f"valid; {clean_line(str(problems[0]), 160)}", "teamops config check")
    there = (root / "teamops.toml").is_file()
    if not there:
        return Check(layer="teamops.toml", word=Word.OFF, why="there is none: teamops only watches", do="teamops init")
    return works("teamops.toml", "valid")


def look(settings: Settings, folder: Path, means: Means, versions: Versions, *, quick: bool) -> Iterator[Check]:
    """Yield what was found of each part. Blocks. ``folder``: the project's in the person's state directory.

    ``versions``: takes what clients say.
    """
    yield machine.python(sys.version_info[:3], sys.executable)
    yield _tmux()
    yield _git(settings)
    yield _handoff(settings)
    yield _state(folder)
    near = _nearest(folder)
    yield machine.disk(shutil.disk_usage(near).free, str(near))
    yield machine.clock(time.time(), _changed(settings.handoff))
    yield _inotify()
    yield _desktop(settings)
    if not quick:
        yield from _clients(settings, means, versions)


def _said(*words: str) -> str:
    ended = run_program(words, Path("/"), dict(os.environ), ANSWER_S)
    return ended.tail[0] if ended.ok and ended.tail else ""


def _tmux() -> Check:
    program = shutil.which("tmux") or ""
    return machine.tmux(_said(program, "-V") if program else "", program)


def _git(settings: Settings) -> Check:
    program = shutil.which("git") or ""
    if not program:
        why = "git is not installed"
        return Check(layer="git", word=Word.OFF, why=why, do="install it: gates and the audit ask it")
    version = _said(program, "--version").removeprefix("git version ")
    if any((each / ".git").exists() for each in (settings.root, *settings.root.parents)):
        return works("git", version)
    why = f"{version}; the project is in no repository"
    return Check(layer="git", word=Word.OFF, why=why, do="git init: gates and the audit ask it")


def _handoff(settings: Settings) -> Check:
    path = settings.handoff
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return works("handoff", f"{path.name} is not there yet: the first block makes it")
    except OSError as error:
        return broken("handoff", f"{path.name} can't be read: {error.strerror}", "mend the file's rights")
    read = parse(raw, {*ROLES, *(role.role for role in settings.roles)})
    errors = [problem for problem in read.problems if problem.severity in _GRAVE]
    if errors:
        why = f"{path.name} line {errors[0].line}: {clean_line(errors[0].message, 120)}"
        return broken("handoff", why, "teamops handoff lint names each place and its mending")
    return works("handoff", f"{path.name}: {len(read.blocks)} block{'' if len(read.blocks) == 1 else 's'}")


def _state(folder: Path) -> Check:
    near = _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=near) as file:
            file.write(b"teamops doctor\n")
            file.flush()
    except OSError as error:
        why = f"{near} can't be written: {error.strerror}"
        return broken("state folder", why, "mend its rights: nothing is remembered without it")
    told = near.stat()
    if told.st_mode & 0o022 and not told.st_mode & 0o1000:
        why = f"others may write {near}"
        return broken("state folder", why, f"chmod go-w {near}: what holds the agents lies there")
    return works("state folder", str(folder))


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there."""
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.is_dir())


def _changed(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _inotify() -> Check:
    limits: list[int | None] = []
    for name in ("max_user_watches", "max_user_instances"):
        try:
            limits.append(int((_INOTIFY / name).read_text("ascii")))
        except (OSError, ValueError):
            limits.append(None)
    refused = ""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "inotify_init1"):
        handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if handle < 0:
            refused = f"no instance is left ({os.strerror(ctypes.get_errno())})"
        else:
            os.close(handle)
    return machine.inotify(limits[0], limits[1], refused)


def _desktop(settings: Settings) -> Check:
    if not settings.notify.desktop:
        return Check(layer="desktop", word=Word.OFF, why="notify.desktop is off")
    if sys.platform == "darwin":
        return works("desktop", "macOS' own", "prove it: teamops notify test")
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    path = address.partition("path=")[2].split(",")[0].split(";")[0]
    bus = Path(path) if path else Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent") / "bus"
    if bus.is_socket() or (address and not path):
        return works("desktop", "a session bus is there", "prove it: teamops notify test")
    why = "no session bus: notifications ring the terminal's bell"
    return Check(layer="desktop", word=Word.NOT_SUPPORTED, why=why)


def _clients(settings: Settings, means: Means, versions: Versions) -> Iterator[Check]:
    seen: set[str] = set()
    for role in settings.roles:
        if role.client not in CLIENTS[:4] or not role.command or role.command[0] in seen:
            continue
        seen.add(role.command[0])
        program = program_of(role)
        if not program:
            why = f"there is no program {clean_line(role.command[0], 100)}"
            yield broken(role.client, why, f"install it, or mend command for {role.role} in teamops.toml")
            continue
        versions[program] = version, trouble = version_of(program, means, role.env)
        doubt = unproven(role.client, version) if Path(program).name == role.client else ""
        yield works(role.client, "; ".join(each for each in (version or trouble, doubt) if each))
