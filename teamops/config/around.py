"""What a sound configuration names and this machine lacks, and what works and is unwise."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from teamops.config import channels, paging_rule, values
from teamops.config.problems import shown_path
from teamops.config.settings import Settings
from teamops.model.role import Role
from teamops.model.text import clean_line

KeyPath = tuple[str, ...]


def remarks(
    settings: Settings, told: Mapping[KeyPath, object], env: Mapping[str, str], resolved: Callable[[object], Path]
) -> Iterator[tuple[KeyPath, str]]:
    """Say what is to be warned of: where, and what. ``told``: the values; ``resolved``: how a path is meant."""
    if not settings.handoff.exists():
        yield ("handoff",), f"there is no {shown_path(settings.handoff, settings.root)} yet"
    if not settings.roles:
        yield ("roles",), "no roles: teamops shows the handoff file and no agents"
    yield from channels.remarks(settings.root, settings.notify.remote, settings.notify.command, resolved)
    order = settings.notify.order
    yield from paging_rule.remarks(settings.paging, settings.alert_rules, len(order), told)
    for path in (path for path in told if len(path) == 2 and path[0] == "roles"):
        role = settings.role(Role(path[1].strip().upper()))
        if role is None or not role.command:
            continue
        program = role.command[0]
        search = role.env.get("PATH", env.get("PATH", ""))
        where = str(role.cwd / program) if "/" in program else program
        if shutil.which(where, path=search) is None:
            at = (*path, "command")
            yield at, f"{clean_line('.'.join(at), 120)}: there is no program {values.shown(program)}"
