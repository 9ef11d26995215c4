"""A role's policy made ready for where it is judged: plain values, in which nothing has to be parsed any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from teamops.domain.boundary_rules import PROTECTED, Policy, TierRule
from teamops.domain.globs import folded, rows
from teamops.model.role import Role

VERSION = 1


class Places(Struct, frozen=True, kw_only=True):
    """Where the things of one team are on this machine; absolute paths, all links followed."""

    roots: tuple[str, ...]
    """The project's folder, and the agent's own work tree if that is another one."""
    handoff: str
    """The handoff file, relative to the project's folder."""
    handoff_path: str
    """The same as a path."""
    light: str
    """Where it is kept whose turn it is."""
    ours: tuple[str, ...]
    """Folders of teamops' own, out of the project."""
    home: str
    scratch: tuple[str, ...]
    """Folders in which roles that write may write as they like."""
    protected: tuple[str, ...] = ()
    """What is protected in this project beside PROTECTED."""


def compiled(policy: Policy, places: Places, team: Sequence[Policy] = ()) -> dict[str, object]:
    """Return ``policy`` as plain values, as `guard` reads it. ``team``: all roles' policies, for who may what.

    Raises ``ValueError`` for a glob that git would not take.
    """
    return {
        "v": VERSION,
        "role": policy.role,
        **_lists("allow", policy.write_allow),
        **_lists("deny", policy.write_deny),
        **_lists("protected", (*PROTECTED, *places.protected)),
        "new_files": policy.new_files,
        "delete": policy.delete,
        "named_files_only": policy.named_files_only,
        "net_lines": policy.net_lines,
        "verdicts": policy.verdicts,
        "light": policy.light,
        "opens": policy.opens,
        "commands_allow": list(policy.commands_allow),
        "commands_deny": list(policy.commands_deny),
        "network": policy.network,
        "tiers": {str(tier): _tier(rule) for tier, rule in policy.tiers.items()},
        "others": {
            other.role: {"allow": _rows(other.write_allow), "deny": _rows(other.write_deny)}
            for other in team
            if other.role != policy.role
        },
        "roots": list(places.roots),
        "handoff": places.handoff,
        "handoff_path": places.handoff_path,
        "light_path": places.light,
        "ours": list(places.ours),
        "home": places.home,
        "scratch": list(places.scratch) if policy.writes else [],
    }


def unruled(role: Role) -> dict[str, object]:
    """Return what stands in the policy's place of a role that has no profile: nothing is held back."""
    return {"v": VERSION, "role": role, "unruled": True}


def overridden(policy: Policy, given: Mapping[str, object]) -> Policy:
    """Return ``policy`` with what the team's configuration sets in its place, by the fields' names."""
    return replace(policy, **given)  # type: ignore[arg-type]  # the schema gives each its type


def _tier(rule: TierRule) -> dict[str, object]:
    return {
        **_lists("allow", rule.allow),
        **_lists("deny", rule.deny),
        **_lists("fix", rule.fix),
        "fix_lines": rule.fix_lines,
    }


def _lists(name: str, globs: Sequence[str]) -> dict[str, object]:
    made = rows(globs)
    return {name: [list(row) for row in made], f"{name}_folded": [list(row) for row in folded(made)]}


def _rows(globs: Sequence[str]) -> list[list[object]]:
    return [list(row) for row in rows(globs)]
