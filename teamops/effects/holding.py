"""What there is to hold one role on this machine, without starting anything."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

from teamops.config.settings import RoleSettings, SandboxMode, Settings
from teamops.domain.layers import Holding
from teamops.effects.canary_calls import line_of
from teamops.effects.confine import Means, confined, means
from teamops.effects.launch import recipe
from teamops.effects.recipe import Recipe
from teamops.model.errors import TeamopsError


def holding_of(settings: Settings, role: RoleSettings, folder: Path) -> Holding:
    """Return what holds the role's agent. ``folder``: the project's in the person's state directory.

    Asked from inside a boundary it is that boundary's fences, for no others can be tried there.

    Raises ``ConfigError`` where its profile can't be used.
    """
    having = _as_it_stands(means())
    how = recipe(role, settings.root, folder)
    line = line_of(role, how)
    hooks = "" if line.words and not line.wrong else line.why
    if settings.sandbox.mode is SandboxMode.OFF:
        return Holding(boundary=None, holder="", lacks=("sandbox.mode is off",), hooks=hooks)
    wanted = how if how.argv else Recipe(argv=("true",), env=how.env)
    try:
        done = confined(settings, replace(role, command=wanted.argv), folder, wanted, having=having, prepare=False)
    except TeamopsError as error:
        return Holding(boundary=None, holder="", lacks=(error.message,), hooks=hooks, untried=having.nested)
    return Holding(boundary=done.boundary, holder=having.name, lacks=having.lacks, hooks=hooks, untried=having.nested)


def _as_it_stands(having: Means) -> Means:
    """Return ``having`` with the bwrap that made the boundary around this process, where one did.

    Its whole disk is read-only then, but for what is mounted above; Landlock alone changes no mount.
    """
    if not having.nested or not os.statvfs("/").f_flag & os.ST_RDONLY:
        return having
    return replace(having, bwrap=shutil.which("bwrap") or "")
