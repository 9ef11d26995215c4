"""A recipe: how one agent is started, with what teamops adds to a person's command."""

from __future__ import annotations

import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from teamops.config.settings import RoleSettings
from teamops.effects.git_exclude import exclude
from teamops.effects.private_file import write_private
from teamops.guard import holds, hook
from teamops.model.boundary import NOT_HELD, Held
from teamops.model.check import Check
from teamops.model.errors import TeamopsError

HOOK_TIMEOUT_S = 6
"""So long a client waits for the hook entry, which itself ends before."""
MAX_WORDS = 12_000
"""Bytes of a command that are handed to tmux: it takes 16 KiB in all, the environment among it."""
ALARM_S = 5
"""So long a hook may take that does not even watch its own clock: then the kernel ends it, and what it was to judge
does not happen."""
_PROGRAM = (
    f"import _signal;_signal.alarm({ALARM_S});import sys;root=sys.argv.pop(1);"
    'own=type(sys)("teamops");own.__path__=[root+"/teamops"];sys.modules["teamops"]=own;'
    "from teamops.guard.hook import main;sys.exit(main(sys.argv[1:]))"
)
"""The hook entry as a module that is compiled once, without what an agent's ``import teamops`` would load."""
_LOOK = (
    'o=$("$@"); r=$?; case "$r$o" in 0' + hook.SEAL + '*) printf %s "${o#' + hook.SEAL + '}";; '
    '2*) printf "%s\\n" "$o"; exit 2;; '
    '*) echo "teamops: its hook failed ($r), so this is not let through; ' + hook.ASK + '" >&2; exit 2;; esac'
)
"""Looks at what the hook entry answers: one that crashes, hangs, is missing or says anything else refuses."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one agent is started."""

    argv: tuple[str, ...]
    """Empty: no command is configured."""
    env: Mapping[str, str]
    client_session: str = ""
    """The client's own session; empty = the client chooses one, or has none."""
    resumed: bool = False
    files: Mapping[Path, str] = field(default_factory=dict)
    """What has to be written before: path → text."""
    holds: Path | None = None
    """The project's folder in the state directory, where its hooks look for holds: shut as long as it is missing."""
    folders: tuple[Path, ...] = ()
    """What has to be made before."""
    empty_files: tuple[Path, ...] = ()
    """What has to be there before, whatever stands in it."""
    new_files: Mapping[Path, str] = field(default_factory=dict)
    """What is written where nothing stands, with the rights that its folder's other files have."""
    excluded: Mapping[Path, tuple[str, ...]] = field(default_factory=dict)
    """git's exclude file → what of the new files it is told to say nothing of."""
    notes: tuple[str, ...] = ()
    """What teamops leaves out, for a person."""
    held: Held = NOT_HELD
    trial: Callable[[], tuple[Check, ...]] | None = None
    """Tries its boundary, once all of it is written; ``None``: it is started without one."""
    strict: bool = False
    """It is not started where the trial says that its boundary is broken, or that nothing holds it."""

    def write(self) -> None:
        """Write the files, each for this user alone. Raises ``TeamopsError`` where that can't be done."""
        if self.holds is not None:
            try:
                holds.prepare(str(self.holds))
            except OSError as error:
                raise TeamopsError(
                    f"can't make {self.holds / holds.FOLDER}: {error.strerror or error}",
                    "mend the folder's rights or free disk space",
                ) from error
        for path in (*self.folders, *self.empty_files, *self.new_files):
            try:
                (path if path in self.folders else path.parent).mkdir(parents=True, exist_ok=True)
                if path in self.empty_files:
                    path.touch()
                if path in self.new_files:
                    _write_new(path, self.new_files[path])
            except OSError as error:
                raise TeamopsError(
                    f"can't make {path}: {error.strerror or error}", "mend the folder's rights or free disk space"
                ) from error
        for path, patterns in self.excluded.items():
            exclude(path, patterns)
        for path, text in self.files.items():
            write_private(path, text)


def short(how: Recipe, path: Path) -> Recipe:
    """Return the recipe with a command that tmux takes: one that is too long stands in a file at ``path``."""
    if sum(len(os.fsencode(word)) + 1 for word in how.argv) <= MAX_WORDS:
        return how
    line = f"exec {shlex.join(how.argv)}\n"
    return replace(how, argv=("/bin/sh", str(path.absolute())), files={**how.files, path: line})


def _write_new(path: Path, text: str) -> None:
    """Write ``text`` where nothing stands: in one step, for git reads a half of it as a fault. Raises ``OSError``."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, not a path
            file.write(text)
        Path(name).chmod(0o666 & path.parent.stat().st_mode)
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client's recipe is made from."""

    role: RoleSettings
    env: Mapping[str, str]
    """What the role's agent gets in any case."""
    folder: Path
    """Where files for the team's agents go."""
    known: str
    """The client's session that ran for the role last; empty = none is known."""
    profile: str
    """The profile's text; empty = the role has none."""

    @property
    def gate(self) -> str:
        """Return where the role's hold would stand."""
        return holds.path_of(str(self.folder), self.role.role)

    @property
    def words(self) -> tuple[str, ...]:
        """Return the person's own arguments."""
        return self.role.command[1:]

    @property
    def around(self) -> Mapping[str, str]:
        """Return the environment that its client probably sees: that of this process, and the role's own."""
        return {**os.environ, **self.role.env}


def entry_words(*event: str) -> list[str]:
    """Return the command with which a client tells of an event."""
    return [sys.executable, "-I", "-S", str(hook.__file__), *event]


def entry(event: str, gate: str, client: str) -> str:
    """Return the same as a line for the client's shell.

    ``gate``: where the agent's hold would stand. It is among the words, so that nothing in the agent's environment
    leads elsewhere. A line that can't even be run refuses, where refusing is its office.
    """
    if event not in hook.GATED:
        return shlex.join(entry_words(event))
    root = str(Path(hook.__file__).parents[2])
    words = [sys.executable, "-I", "-S", "-c", _PROGRAM, root, event, gate, client, hook.SEALED]
    return f"{shlex.join(['/bin/sh', '-c', _LOOK, 'teamops', *words])} || exit {hook.REFUSED}"


CODEX_SANDBOX = ("--sandbox", "workspace-write")
"""Codex' own sandbox beside the hooks: nothing out of its folder and the temporary ones is written."""


def given(words: Sequence[str], names: Sequence[str]) -> bool:
    """Return whether the person gave one of these options."""
    return any(word == name or word.startswith(f"{name}=") for word in words for name in names)


def is_uuid(session: str) -> bool:
    """Return whether it is a session id such as most clients make."""
    return _UUID.fullmatch(session) is not None


def is_begun(path: Path) -> bool:
    """Return whether a session's file holds a prompt: its client refuses to go on with one in which none stands."""
    try:
        with path.open("rb") as file:
            return any(b'"type":"user"' in line.replace(b'": "', b'":"') for line in file)
    except OSError:
        return False
