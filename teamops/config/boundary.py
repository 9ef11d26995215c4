"""A role's boundary: its profile's, with what ``[roles.ROLE]`` sets in its place, on this machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from teamops.config.settings import RoleSettings, Settings
from teamops.domain.boundary import Places, compiled, overridden, unruled
from teamops.domain.boundary_rules import Policy

LIGHT = "light.json"
"""Beside the ledger: whose turn it is."""


def policy_of(role: RoleSettings) -> Policy | None:
    """Return the policy of ``role``; ``None`` where it has no profile. Raises ``ConfigError`` for a broken one."""
    if role.profile is None:
        return None
    profile = role.profile.read()
    policy = Policy(
        role=role.role,
        write_allow=profile.write_allow,
        write_deny=profile.write_deny,
        new_files=profile.new_files,
        delete=profile.delete,
        named_files_only=profile.named_files_only,
        net_lines=profile.net_lines,
        verdicts=profile.verdicts,
        light=profile.light,
        commands_allow=profile.commands_allow,
        commands_deny=profile.commands_deny,
        network=profile.network,
        tiers=profile.tier_rules,
    )
    return overridden(policy, role.boundary)


def places_of(role: RoleSettings, root: Path, handoff: Path, folder: Path) -> Places:
    """Return where the things of the team are; ``folder``: the project's in the person's state directory."""
    project, cwd = root.resolve(), role.cwd.resolve()
    place = (handoff.parent.resolve() / handoff.name) if handoff.parent.exists() else handoff
    own = role.profile.path.resolve() if role.profile is not None else project
    return Places(
        roots=(str(project),) if cwd.is_relative_to(project) else (str(project), str(cwd)),
        handoff=place.relative_to(project).as_posix() if place.is_relative_to(project) else "",
        handoff_path=str(place),
        light=str(folder / LIGHT),
        ours=(str(folder.resolve()),),
        home=role.env.get("HOME") or os.environ.get("HOME", "") or "/",
        scratch=_scratch(),
        protected=(f"/{_literal(own.relative_to(project))}",) if own != project and own.is_relative_to(project) else (),
    )


def compiled_of(
    role: RoleSettings, root: Path, handoff: Path, folder: Path, team: Sequence[RoleSettings] = ()
) -> dict[str, object]:
    """Return what the hooks of ``role`` are asked with. Raises ``ConfigError``."""
    policy = policy_of(role)
    if policy is None:
        return unruled(role.role)
    others = [found for other in team if (found := policy_of(other)) is not None]
    return compiled(policy, places_of(role, root, handoff, folder), others)


def compiled_in(settings: Settings, role: RoleSettings, folder: Path) -> dict[str, object]:
    """Return the same for a role of a whole team."""
    return compiled_of(role, settings.root, settings.handoff, folder, settings.roles)


def _scratch() -> tuple[str, ...]:
    named = ("/tmp", "/var/tmp", tempfile.gettempdir())  # noqa: S108 - named, never written by teamops
    return tuple(dict.fromkeys(str(Path(folder).resolve()) for folder in named))


def _literal(path: Path) -> str:
    return "".join(f"\\{letter}" if letter in "*?[\\!#" else letter for letter in path.as_posix())
