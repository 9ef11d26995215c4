"""The gate "complete": what had to change with what changed, and didn't.

Source of the rule: ``[gates.complete]`` of teamops.toml: where a file of a glob changed, one of each of its globs must
have changed, too. Globs are those of .gitignore, relative to the project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from teamops.domain.timeline import heading_wall
from teamops.model.handoff import Block


@dataclass(frozen=True, slots=True)
class Missing:
    """A glob of which no file changed although it had to."""

    glob: str
    because: str
    """The glob that asks for it."""
    example: str
    """A changed file of that glob."""
    count: int
    """How many changed files that glob has."""


def missing(changed: Sequence[str], rules: Mapping[str, Sequence[str]]) -> tuple[Missing, ...]:
    """Return what is missing, in the order of the rules. Raises ``ValueError`` for a glob that git would not take."""
    found = []
    for because, wanted in rules.items():
        asking = _of(because, changed)
        if asking:
            found += [
                Missing(glob, because, asking[0], len(asking))
                for glob in dict.fromkeys(wanted)
                if not _of(glob, changed)
            ]
    return tuple(found)


def asked(changed: Sequence[str], rules: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the globs of the rules that the changed files make apply. Raises ``ValueError`` as ``missing`` does."""
    return tuple(because for because in rules if _of(because, changed))


def _of(glob: str, paths: Sequence[str]) -> list[str]:
    try:
        spec = GitIgnoreSpec.from_lines([glob])
    except ValueError as error:
        raise ValueError(f'"{glob}" is no glob') from error
    return list(spec.match_files(paths))


def began(first: Block, seen: Mapping[str, float]) -> float:
    """Return when a task began, Unix seconds: when its first block was seen, else that block's own time; 0 = unknown.

    ``seen``: when teamops saw each block, by digest.
    """
    return seen[first.digest] if first.digest in seen else heading_wall(first.at)
