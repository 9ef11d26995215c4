"""Tries the boundaries of a whole team: each role as it would be started, some at once, and nothing stays behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from teamops.config.settings import RoleSettings, Settings
from teamops.domain.canary import not_started
from teamops.effects.canary import prove
from teamops.effects.canary_clients import Versions, known_of, switches_of
from teamops.effects.canary_plan import Subject
from teamops.effects.confine import Means, confined, means
from teamops.effects.launch import recipe
from teamops.effects.recipe import Recipe
from teamops.handoff.locking import take_away
from teamops.model.check import Check, Word
from teamops.model.errors import TeamopsError
from teamops.model.role import Role

Tell = Callable[[Role, tuple[Check, ...]], None]
"""Told of each role as its trial ends, in the caller's thread."""
Layer = Callable[[Settings, RoleSettings, Path], Check | None]
"""One more layer of a role's boundary; ``None`` = there is nothing to say of it. Blocks; raises ``TeamopsError``."""
AT_ONCE = 4
IGNORED = ".gitignore"


def examine(
    settings: Settings,
    roles: Sequence[RoleSettings],
    folder: Path,
    *,
    quick: bool,
    layers: Sequence[Layer] = (),
    tell: Tell = lambda _role, _checks: None,
    having: Means | None = None,
    versions: Versions | None = None,
) -> dict[Role, tuple[Check, ...]]:
    """Try the boundary of each role. Blocks. ``folder``: the project's in the person's state directory.

    ``layers``: those that are tried after the kernel and the hooks. ``versions``: what clients were asked already.

    What has to be there for a start is made, and taken away again where it was not there before.
    """
    having = having or means()
    traces = _Traces()
    found: dict[Role, tuple[Check, ...]] = {}
    ready: list[Subject] = []
    try:
        for role in roles:
            try:
                ready.append(_prepared(settings, role, folder, having, traces))
            except TeamopsError as error:
                found[role.role] = (not_started(role.role, error.message, error.hint),)
                tell(role.role, found[role.role])
        asked: Versions = {} if versions is None else versions
        with ThreadPoolExecutor(min(AT_ONCE, max(2, os.cpu_count() or 2)), "doctor") as pool:
            waiting = {pool.submit(_one, subject, having, asked, layers, quick=quick): subject for subject in ready}
            for done in as_completed(waiting):
                name = waiting[done].role.role
                found[name] = done.result()
                tell(name, found[name])
    finally:
        traces.remove()
    return {role.role: found[role.role] for role in roles}


def _prepared(settings: Settings, role: RoleSettings, folder: Path, having: Means, traces: _Traces) -> Subject:
    """Return the role's agent as it would be started, with all in place that its boundary needs."""
    how = recipe(role, settings.root, folder)
    done = confined(settings, role, folder, how, having=having, plan=f"doctor-{os.getpid()}", prepare=False)
    if done.boundary is not None:
        own = {path: text for path, text in done.recipe.files.items() if path not in how.files}
        traces.make(replace(done.recipe, files=own, holds=None, excluded={}))
    return Subject(settings, role, folder, done)


def _one(
    subject: Subject, having: Means, versions: Versions, layers: Sequence[Layer], *, quick: bool
) -> tuple[Check, ...]:
    client = switches_of(subject.role) if quick else known_of(subject.role, having, versions)
    checks = list(prove(subject, quick=quick, client=client))
    for layer in layers:
        try:
            check = layer(subject.settings, subject.role, subject.folder)
        except TeamopsError as error:
            name = getattr(layer, "__name__", "layer").strip("_").replace("_", " ")
            check = Check(layer=name, word=Word.BROKEN, why=error.message, do=error.hint, role=subject.role.role)
        if check is not None:
            checks.append(check)
    return tuple(checks)


class _Traces:
    """What was made for a trial and was not there before."""

    def __init__(self) -> None:
        self._made: list[Path] = []
        self._locks: set[Path] = set()

    def make(self, how: Recipe) -> None:
        """Write what a recipe needs. Raises ``TeamopsError``."""
        wanted = [*how.folders, *how.empty_files, *how.new_files, *how.files]
        for path in wanted:
            above = [each for each in (path, *path.parents) if not os.path.lexists(each)]
            self._made += [each for each in reversed(above) if each not in self._made]
        self._locks |= {path for path in how.empty_files if path in self._made}
        how.write()

    def remove(self) -> None:
        """Take it away; what somebody has put into a folder meanwhile stays."""
        # The innermost first; what hides a folder from git stays as long as something is in there.
        for path in sorted(self._made, key=lambda path: (-len(path.parts), path.name == IGNORED)):
            with suppress(OSError):
                if path in self._locks:
                    take_away(path)
                elif path.name == IGNORED and any(each != path for each in path.parent.iterdir()):
                    continue
                elif path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()
        self._made.clear()
