"""What a role may change and run: its policy.

What a rule means stands in `guard/judge.py`, which asks them where the agents are and may import nothing. So there is
one judgement, whoever asks: a hook, `teamops guard explain`, an audit.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from teamops.model.role import DIRECTOR, Role

PROTECTED = (
    ".git",
    "/.teamops/",
    "/teamops.toml",
    "/profiles/",
    "**/.claude/settings*.json",
    "**/.claude/hooks/",
    "**/.codex/",
    "**/.gemini/settings.json",
    "**/.gemini/.env",
    "**/.opencode/plugin*/",
    "opencode.json",
    "opencode.jsonc",
    ".mcp.json",
)
"""What no agent changes, whatever its role: git's own files, teamops' own, and what could turn the hooks off."""


class TierRule(Struct, frozen=True, kw_only=True):
    """What a role may do beyond the rest while it holds the light of a task of one tier."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    """What the exception leaves as it is."""
    fix: tuple[str, ...] = ()
    """Files that stand there, in which a few lines may be changed."""
    fix_lines: int = 1
    """So many, by one call."""


NO_TIERS: Mapping[int, TierRule] = MappingProxyType({})


class Policy(Struct, frozen=True, kw_only=True):
    """The boundary of one role. Globs are those of .gitignore, relative to the project."""

    role: Role
    write_allow: tuple[str, ...] = ()
    write_deny: tuple[str, ...] = ()
    """Wins over what is allowed."""
    new_files: bool = True
    delete: bool = True
    named_files_only: bool = False
    """A file that no block of the task names is told of."""
    net_lines: int | None = None
    """By so many lines a file may grow by one call; ``None`` = by any."""
    verdicts: bool = False
    """May write a Verdict."""
    light: bool = True
    """Changes things only while it holds the light of a task."""
    commands_allow: tuple[str, ...] = ()
    """``*``: any, also those that nobody understands."""
    commands_deny: tuple[str, ...] = ()
    network: str = ""
    """A word about the network, for who reads it: nothing here holds an agent off it."""
    tiers: Mapping[int, TierRule] = field(default_factory=lambda: NO_TIERS)

    @property
    def opens(self) -> bool:
        """May write into the handoff file while no task is open."""
        return self.role == DIRECTOR

    @property
    def writes(self) -> bool:
        """Is a role that writes: its default for what isn't understood is to let it through."""
        return "*" in self.commands_allow
