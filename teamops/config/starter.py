"""What a new team begins with: the text of teamops.toml and of an empty handoff file."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from enum import StrEnum

from teamops.model.role import AGENT_ROLES, Role

_NO_SERVER_CHARACTER = re.compile(r"[^A-Za-z0-9_-]")
LONGEST_SERVER = 40
"""A server's name is part of a socket's path, which has about 100 bytes in all."""

HANDOFF = """\
<!--
The team talks through this file. Each block is appended at its end and says whose turn it is next.
Open the first task:
  teamops append --role HUMAN --status open --turn DIRECTOR --tier 2 --task NAME --section "What I Want=…"
-->
"""
"""An empty handoff file: a comment is no block, so nobody has the light yet."""

_HEAD = """\
# The team of this project, and what teamops may do for it. After a change: teamops config check
# What is commented out is an example, not the default; docs/configuration.md of teamops has every key with its default.
"""
_TAIL = """\
# One more agent, with all that a role can have:
#
# [roles.CODER]
# command = "codex"                # a text or a list; no shell runs it
# cwd = "../coder"                 # a work tree of its own
# env = { EDITOR = "true" }
# restart = "on-death"             # never, on-death, on-unhealthy
# auto_poke = false                # you poke it yourself (p)
#
# When you are told, and of what:
#
# [limits]
# stale_s = "20m"                  # a light without work for so long
# zombie_s = "30m"                 # an agent that holds the light, lives, and does nothing
# memory_bytes = "8GB"             # its process tree
#
# How "done" is proved (teamops gate run):
#
# [gates]
# runs = "pytest -q"
# correct = "make check"
"""


class Allowed(StrEnum):
    """What teamops may do by itself. It tells the person in any case."""

    ALL = "all"
    """Poke who is next; restart what died or hangs."""
    DEATHS = "deaths"
    """Poke; restart only what died."""
    POKE = "poke"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team as its person described it."""

    project: str
    """Empty = named as its folder."""
    roles: tuple[tuple[Role, str], ...]
    """Each with the command that starts its agent."""
    own_server: bool
    """Its sessions live in a tmux server of its own, not in the person's."""
    allowed: Allowed


def in_order(roles: set[Role]) -> tuple[Role, ...]:
    """Return roles as a team is listed: the shipped ones as they stand in the pipeline, then all others by name."""
    return (*(role for role in AGENT_ROLES if role in roles), *sorted(roles - {*AGENT_ROLES}))


def server_name(project: str) -> str:
    """Return the name of the tmux server of a project, safe as a file's name and after ``tmux -L``."""
    name = _NO_SERVER_CHARACTER.sub("_", project.lower()).strip("-_")[:LONGEST_SERVER]
    return name or f"team-{zlib.crc32(project.encode(errors='surrogatepass')):08x}"


def quoted(text: str) -> str:
    """Return ``text`` as TOML writes it: a basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def toml_of(team: Team, folder: str) -> str:
    """Return a teamops.toml with all in which ``team`` differs from the defaults; the rest as commented examples.

    ``folder``: the project's name where the file gives none, already safe to show on one line.
    """
    parts = [_HEAD]
    if team.project:
        parts.append(_line(f"project = {quoted(team.project)}", "on the screen and in session names"))
    else:
        parts.append(_line(f"# project = {quoted(folder)}", "the folder's name, unless you say another"))
    if team.own_server:
        name = server_name(team.project or folder)
        parts.append("[tmux]\n" + _line(f"socket_name = {quoted(name)}", f"tmux -L {name} ls; teamops attach ROLE"))
    if team.allowed is Allowed.NOTHING:
        parts.append("[poke]\n" + _line("auto = false", "nobody is poked by itself when the light comes"))
    if team.allowed is Allowed.DEATHS:
        parts.append("[restart]\n" + _line('when = "on-death"', "not an agent that lives and hangs"))
    elif team.allowed is not Allowed.ALL:
        parts.append("[restart]\n" + _line('when = "never"', "you restart it yourself (r)"))
    for role, command in team.roles:
        parts.append(f"[roles.{role}]\n" + _line(f"command = {quoted(command)}", ""))
    parts.append(_TAIL)
    return "\n".join(parts)


def _line(setting: str, why: str) -> str:
    return f"{setting:<34} # {why}\n" if why else f"{setting}\n"
