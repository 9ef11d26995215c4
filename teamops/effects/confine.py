"""An agent's command put into its boundary: what is there to hold it, the plan, and the words around the command."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from teamops.config.settings import RoleSettings, SandboxMode, Settings
from teamops.domain.confinement import Boundary, Cover, Ground, Mount
from teamops.domain.drawing import boundary
from teamops.domain.seatbelt import UNTRIED, seatbelt
from teamops.effects.client_copy import Copied, copy_of
from teamops.effects.client_places import make_places, places_of
from teamops.effects.git_exclude import excluded_of
from teamops.effects.ground import ground_of, look, names_in, tmux_socket
from teamops.effects.recipe import CODEX_SANDBOX, Recipe, given
from teamops.guard import confine as inside
from teamops.guard.landlock import HOLDS_EMPTYING, LATEST, abi, lacks
from teamops.guard.terminal import can_forbid
from teamops.model.errors import TeamopsError
from teamops.model.text import clean_line

CONFINED = "TEAMOPS_CONFINED"
"""Set for an agent in its boundary: the role."""
PROBE_S = 5.0
MAX_NAME = 120
"""Characters of a path in words for a person."""
_CODEX_SANDBOX = ("-s", "--sandbox", "--full-auto", "--dangerously-bypass-approvals-and-sandbox", "--yolo")
_WAITS = """\
trap '' TERM HUP INT QUIT
late=$1; shift
if [ -e "$late" ]; then
  for word; do
    shift
    if [ "$late" ] && [ "$word" = --cap-drop ]; then set -- "$@" --ro-bind /dev/null "$late"; late=; fi
    set -- "$@" "$word"
  done
fi
exec "$@"
"""
"""The program around the agent waits for the agent's own end: it would else end at once, and take the agent with it.

Its first word is the socket of the tmux server, covered if it is there now: the server may have begun with the agent's
own start, after the boundary was drawn."""


@dataclass(frozen=True, slots=True)
class Means:
    """What this machine has to hold a boundary with."""

    bwrap: str
    """The program; empty = there is none that works."""
    landlock: int
    """Its version; 0 = none."""
    lacks: tuple[str, ...]
    """What is missing, and why."""
    no_typing: bool = False
    """A program can be kept from typing into its own terminal."""
    sandbox_exec: str = ""
    """macOS' program; empty = there is none."""
    nested: str = ""
    """Why bwrap can't be tried: this runs inside a boundary already, and so says nothing of the machine."""

    @property
    def name(self) -> str:
        """Return in a word or two what holds."""
        if self.sandbox_exec:
            return "sandbox-exec"
        names = (["bwrap"] if self.bwrap else []) + ([f"Landlock {self.landlock}"] if self.landlock else [])
        return " and ".join(names)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return why no more than that holds what is started here."""
        return (*([self.nested] if self.nested else []), *self.lacks)

    @property
    def empties(self) -> bool:
        """Return whether its Landlock, where there is one, knows nothing of emptying a file."""
        return 0 < self.landlock < HOLDS_EMPTYING

    @property
    def layers(self) -> str:
        """Return the same as it is shown of a running agent: without versions, and saying where one stands alone."""
        if self.sandbox_exec:
            return "sandbox-exec"
        names = (["bwrap"] if self.bwrap else []) + (["Landlock"] if self.landlock else [])
        told = " + ".join(names) if len(names) != 1 else f"{names[0]} alone"
        return f"{told} (files can be emptied)" if self.empties else told


@dataclass(frozen=True, slots=True)
class Confined:
    """An agent's boundary, and the recipe that starts it inside."""

    recipe: Recipe
    boundary: Boundary | None
    """``None``: it is unenforced."""
    means: Means


@cache
def means() -> Means:
    """Return what there is; asked once. A program that can't do it here counts as none."""
    if sys.platform == "darwin":
        program = shutil.which("sandbox-exec", path="/usr/bin") or ""
        return Means("", 0, (UNTRIED if program else "there is no sandbox-exec",), sandbox_exec=program)
    missing: list[str] = []
    nested = ""
    bwrap = shutil.which("bwrap") or ""
    if not bwrap:
        missing.append("bwrap is not installed (package bubblewrap)")
    elif why := _refusal(bwrap):
        if inside := os.environ.get(CONFINED):
            nested = f"bwrap can't be tried from inside {clean_line(inside, MAX_NAME)}'s boundary"
        else:
            missing.append(f"bwrap does not work here: {why}")
        bwrap = ""
    version = min(abi(), LATEST)
    no_typing = can_forbid()
    if not no_typing:
        missing.append("a program can't be kept from typing into its own terminal here (no seccomp filter)")
    return Means(bwrap, version, (*missing, *lacks(version)), no_typing, nested=nested)


def _refusal(bwrap: str) -> str:
    """Return why bwrap can't do it here (user namespaces forbidden, as in some containers); empty = it can."""
    words = [bwrap, "--ro-bind", "/", "/", "--dev", "/dev", "--cap-drop", "ALL", "--", "/bin/sh", "-c", ":"]
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.decode("utf-8", "replace").strip() or f"status {done.returncode}"


def confined(
    settings: Settings,
    role: RoleSettings,
    folder: Path,
    recipe: Recipe,
    *,
    having: Means | None = None,
    plan: str = "plan",
    prepare: bool = True,
) -> Confined:
    """Return the recipe with its command in the role's boundary.

    ``plan``: how its file is named; empty = by what is in it. ``prepare``: make what of the client has to be there.

    Where nothing can hold it, the command as it is, with a note that says so. Raises ``TeamopsError`` where the
    configuration requires what is not there, ``ConfigError`` where the profile can't be used.
    """
    having = having or means()
    mode = settings.sandbox.mode
    if mode is SandboxMode.OFF:
        return Confined(_unheld(recipe, "unenforced: ", "sandbox.mode is off"), None, having)
    if not recipe.argv:
        why = "what runs in its pane was not started by a command of teamops.toml"
        return Confined(_unheld(recipe, "unenforced: ", why), None, having)
    if mode is SandboxMode.REQUIRE and (not (having.bwrap and having.landlock) or having.empties):
        raise TeamopsError(
            f"{role.role} is not started: sandbox.mode is require, and {'; '.join(having.missing)}",
            'install what is missing, or say mode = "auto" in [sandbox]',
        )
    if not having.name:
        why = f"nothing here can hold its boundary ({'; '.join(having.missing)})"
        return Confined(_unheld(recipe, "UNENFORCED: ", why), None, having)
    if prepare:
        _prepare(role, recipe.argv)
    copies = folder.absolute() / "agents" / f"{role.role}.{plan or 'run'}.client"
    ground = ground_of(settings, role, folder, recipe.argv, copies)
    drawn = boundary(
        ground,
        look,
        landlock=bool(having.landlock),
        mounts=bool(having.bwrap or having.sandbox_exec),
        names=names_in if having.empties else None,
    )
    told = {
        "v": inside.VERSION,
        "landlock": having.landlock,
        "no_typing": having.no_typing,
        "writable": drawn.writable,
    }
    text = json.dumps(told, indent=1) + "\n"
    name = plan or f"run-{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
    file = folder.absolute() / "agents" / f"{role.role}.{name}.json"
    if having.bwrap and having.landlock and role.client == "codex":
        recipe = _without_own_sandbox(recipe, role.command)
    words = [sys.executable, "-I", "-S", str(inside.__file__), str(file), "--", *recipe.argv]
    if having.bwrap:
        tmux = Mount(Cover.NO_SOCKET, tmux_socket(settings, {**os.environ, **role.env}))
        late = tmux.path if tmux in drawn.mounts else ""  # else the agent doesn't see it, or is to
        mounts = [mount for mount in drawn.mounts if mount != tmux]
        words = ["/bin/sh", "-c", _WAITS, "sh", late, *bwrap_words(having.bwrap, mounts, str(role.cwd)), *words]
    if having.sandbox_exec:
        drawn = replace(drawn, holes=(*drawn.holes, UNTRIED))
        words = [having.sandbox_exec, "-p", seatbelt(drawn), *words]
    ignored = settings.root / ".teamops" / ".gitignore"
    missing = "" if having.bwrap and having.landlock else f" alone; open: {'; '.join(drawn.holes)}"
    if not missing and having.empties:
        missing = f"; open: {'; '.join(drawn.holes)}"
    copied = _copied(ground, role.cwd) if having.bwrap else {}
    empty = [
        f"its own {path.name} begins empty, for yours {one.trouble}" for path, one in copied.values() if one.trouble
    ]
    said = [clean_line(note, 2 * MAX_NAME) for note in ground.client.notes]
    said += [f"not held, because it is a link: {clean_line(path, MAX_NAME)}" for path in drawn.links]
    temp = {"TMPDIR": drawn.temp[0]} if drawn.temp[:1] != ground.temp[:1] else {}
    wrapped = replace(
        recipe,
        argv=tuple(words),
        env={**temp, **recipe.env, CONFINED: str(role.role), "TEAMOPS_SESSION": role.session},
        files={
            **recipe.files,
            file: text,
            **({} if ignored.exists() else {ignored: "*\n"}),
            **{copy: one.text for copy, (_, one) in copied.items()},
            **{_trace_of(copy): one.was for copy, (_, one) in copied.items() if one.was},
        },
        folders=(*(Path(path) for path in drawn.make_folders), Path(ground.spool)),
        empty_files=(Path(ground.lock),),
        new_files={Path(path): text for path, text in drawn.make_files},
        excluded=excluded_of(ground, {path for path, _ in drawn.make_files}),
        notes=(*recipe.notes, f"its boundary is held by {having.name}{missing}", *empty, *said),
        held=replace(recipe.held, kernel=having.layers + _but_for(drawn.links)),
    )
    return Confined(wrapped, drawn, having)


def _copied(ground: Ground, cwd: Path) -> dict[Path, tuple[Path, Copied]]:
    """Return what each of the agent's copies begins with, and of which file it is.

    Claude Code keeps what a project may do by its repository's main folder, older versions by the work tree's.
    """
    real = Path(ground.cwd)
    tops = [each for each in (real, *real.parents) if (each / ".git").exists()][:1]
    mains = [path.parent for path in map(Path, ground.git) if path.name == ".git"]
    places = [*map(str, (cwd, real, *tops, *mains))]
    made = {}
    for own, copy in ground.client.copies:
        trace = _trace_of(Path(copy))
        was = trace.read_text("utf-8", "replace") if trace.is_file() else ""
        made[Path(copy)] = Path(own), copy_of(Path(own), Path(copy), places, was)
    return made


def _trace_of(copy: Path) -> Path:
    return copy.with_name(f"{copy.name}.was")


def _but_for(links: Sequence[str]) -> str:
    """Return in words which settings at home are not held, as it is shown of a running agent."""
    if not links:
        return ""
    more = f" and {len(links) - 1} more" if len(links) > 1 else ""
    return f", but for a link: {clean_line(links[0], MAX_NAME)}{more}"


def _unheld(recipe: Recipe, label: str, why: str) -> Recipe:
    return replace(recipe, notes=(*recipe.notes, label + why), held=replace(recipe.held, unheld=why))


def _without_own_sandbox(recipe: Recipe, chosen: Sequence[str]) -> Recipe:
    """Return the recipe with codex' own sandbox left out: within another it can't make one, and would run nothing.

    ``chosen``: the person's own words, which stay.
    """
    if given(chosen, _CODEX_SANDBOX) or any(word.startswith("sandbox_mode") for word in chosen):
        note = "codex' own sandbox does not work inside its boundary: leave it out of its command"
        return replace(recipe, notes=(*recipe.notes, note))
    words = list(recipe.argv)
    for place in range(len(words) - 1):
        if tuple(words[place : place + 2]) == CODEX_SANDBOX:  # where no other stands around it
            recipe = replace(recipe, argv=(*words[:place], *words[place + 2 :]))
            break
    at = 3 if recipe.argv[1:2] == ("resume",) else 2 if recipe.argv[1:2] in (("exec",), ("e",)) else 1
    argv = (*recipe.argv[:at], "-s", "danger-full-access", *recipe.argv[at:])
    return replace(recipe, argv=argv, notes=(*recipe.notes, "its boundary stands in for codex' own sandbox"))


def bwrap_words(bwrap: str, mounts: Sequence[Mount], cwd: str) -> list[str]:
    """Return the words that start a command behind these mounts, with no rights beyond its user's."""
    words = [bwrap, "--ro-bind", "/", "/", "--dev", "/dev"]
    for mount in mounts:
        match mount.cover:
            case Cover.EMPTY:
                words += ["--tmpfs", mount.path]
            case Cover.WRITABLE:
                words += ["--bind", mount.source or mount.path, mount.path]
            case Cover.READ_ONLY:
                words += ["--ro-bind", mount.path, mount.path]
            case Cover.NO_SOCKET:
                words += ["--ro-bind", "/dev/null", mount.path]
    return [*words, "--cap-drop", "ALL", "--die-with-parent", "--chdir", cwd, "--"]


def _prepare(role: RoleSettings, command: tuple[str, ...]) -> None:
    """Make what of the client's state has to be there: it can't be let in or held otherwise."""
    try:
        make_places(places_of(role.client, {**os.environ, **role.env}, command[0] if command else ""))
    except OSError as error:
        raise TeamopsError(f"can't make {error.filename}: {error.strerror}", "mend the folder's rights") from error
