"""A throwaway project in which a role's own boundary is tried: nothing of the person's is in it."""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from teamops.config.boundary import LIGHT, compiled_in
from teamops.config.settings import RoleSettings, Settings
from teamops.effects.canary_plan import paths_of
from teamops.effects.policies import write_policies
from teamops.git.command import Git
from teamops.guard import light
from teamops.guard.act import WRITE, Act
from teamops.guard.judge import ALLOW, DENY, Light, judge
from teamops.guard.places import Looking
from teamops.guard.policy import Policy
from teamops.model.errors import TeamopsError
from teamops.model.role import Role

NOBODY_S = ".claude/settings.json"
"""No agent changes it, whatever its role: tried where the role's own rules forbid nothing."""
BEFORE = "before teamops doctor\n"


@dataclass(frozen=True, slots=True)
class Ground:
    """A project and its state folder, with the role's policy and the light in its hands."""

    root: Path
    state: Path
    handoff: Path
    role: Role
    light: Light
    forbidden: str
    """A file in it that the role may not change. It is there."""
    allowed: str
    """One that it may; empty = there is none."""

    @property
    def files(self) -> tuple[str, ...]:
        """Return both, the forbidden one first."""
        return (self.forbidden, self.allowed) if self.allowed else (self.forbidden,)


@contextmanager
def ground(settings: Settings, role: RoleSettings) -> Iterator[Ground]:
    """Make it, and take it away. Blocks. Raises ``TeamopsError`` where it can't be made."""
    try:
        place = Path(tempfile.mkdtemp(prefix="teamops-doctor-")).resolve()
    except OSError as error:
        raise _failed(error) from error
    try:
        yield _made(settings, role, place)
    except OSError as error:
        raise _failed(error) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _made(settings: Settings, role: RoleSettings, place: Path) -> Ground:
    root, state = place / "project", place / "state"
    root.mkdir()
    own = replace(role, cwd=root)
    handoff = root / settings.handoff.name
    team = tuple(own if each.role == role.role else replace(each, cwd=root) for each in settings.roles)
    here = replace(settings, root=root, handoff=handoff, roles=team)
    write_policies(here, state)
    told: Policy = dict(compiled_in(here, own, state))
    names = paths_of(role, f"teamops-canary-{uuid.uuid4().hex[:8]}")
    forbidden = next((name for name in names if _said(told, root, name) == DENY), NOBODY_S)
    allowed = next((name for name in names if _said(told, root, name) == ALLOW), "")
    named = (allowed,) if allowed else ()
    rows: list[dict[str, object]] = [{"role": str(role.role), "task": "", "named": list(named)}]
    (state / LIGHT).write_text(light.text_of([], rows), encoding="utf-8")
    made = Ground(root, state, handoff, role.role, Light(held=True, named=named), forbidden, allowed)
    for name in made.files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(BEFORE, encoding="utf-8")
    return made


def _said(told: Policy, root: Path, name: str) -> str:
    """Return the verdict about a change of one line in a file that is there."""
    full = str(root / name)
    place = Looking(tuple(told["roots"]), told["home"]).at(full, ())
    place.exists = True
    said = judge(told, Light(held=True, named=(name,)), Act(WRITE, full, added=0, changed=1), place)
    return "" if said.verdict == DENY and not said.rule.startswith("write.") else said.verdict


def repository(made: Ground, seconds: float) -> None:
    """Make its project a git repository without hooks or templates of anybody. Raises ``TeamopsError``."""
    Git(made.root, time.monotonic() + seconds, seconds).run("init", "-q", "--template=")


def _failed(error: OSError) -> TeamopsError:
    return TeamopsError(f"a folder for the trial: {error.strerror or error}", "free disk space or mend TMPDIR")
